/** The constants of ITU-T G.722 in its own fixed-point scales; the clause or table that gives each stands above it. */

/** Table 11/G.722 (transmit and receive QMF): every other of 24 symmetric taps, scaled by 2^13; backwards they are the rest. */
export const qmfTaps = Int32Array.of(3, -11, 12, 32, -210, 951, 3_876, -805, 362, -156, 53, -11)

/** Table 14/G.722, Q6: upper decision levels of the lower band's 60-level quantiser, for a scale factor of 2^12. */
export const lowDecisions = Int32Array.of(
  ...[35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714],
  ...[786, 858, 940, 1_023, 1_121, 1_219, 1_339, 1_458, 1_612, 1_765, 1_980, 2_195, 2_557, 2_919],
)

/** Table 15/G.722, QM6: output levels by 6-bit code. The four lowest codes are not sent and read as the smallest negative. */
export const lowLevels6 = Int32Array.of(
  ...[-136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280],
  ...[-11_192, -10_232, -9_360, -8_576, -7_856, -7_192, -6_576, -6_000, -5_456, -4_944, -4_464],
  ...[-4_008, -3_576, -3_168, -2_776, -2_400, -2_032, -1_688, -1_360, -1_040, -728],
  ...[24_808, 21_904, 19_008, 16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9_360, 8_576],
  ...[7_856, 7_192, 6_576, 6_000, 5_456, 4_944, 4_464, 4_008, 3_576, 3_168, 2_776, 2_400],
  ...[2_032, 1_688, 1_360, 1_040, 728, 432, 136, -432, -136],
)

/** Table 15/G.722, QM4: output levels by the code's four upper bits, from which alone the lower band adapts. */
export const lowLevels4 = Int32Array.of(
  ...[0, -20_456, -12_896, -8_968, -6_288, -4_240, -2_584, -1_200],
  ...[20_456, 12_896, 8_968, 6_288, 4_240, 2_584, 1_200, 0],
)

/** Table 17/G.722, WL by way of RL42: what a four-bit code adds to the logarithm of the lower band's scale factor. */
export const lowScaleSteps = Int32Array.of(
  ...[-60, 3_042, 1_198, 538, 334, 172, 58, -30],
  ...[3_042, 1_198, 538, 334, 172, 58, -30, -60],
)

/** Table 15/G.722, QM2: output levels of the higher band by two-bit code. */
export const highLevels = Int32Array.of(-7_408, -1_616, 7_408, 1_616)

/** Table 14/G.722, Q2: the one decision level of the higher band, for a scale factor of 2^12. */
export const HIGH_DECISION = 564

/** Table 17/G.722, WH by way of RH2. */
export const highScaleSteps = Int32Array.of(798, -214, 798, -214)

/** Table 16/G.722, ILB: 2^11 times the 32nd roots of two, the mantissas of the scale factors. */
export const scaleMantissas = Int32Array.of(
  ...[2_048, 2_093, 2_139, 2_186, 2_233, 2_282, 2_332, 2_383, 2_435, 2_489, 2_543],
  ...[2_599, 2_656, 2_714, 2_774, 2_834, 2_896, 2_960, 3_025, 3_091, 3_158, 3_228],
  ...[3_298, 3_371, 3_444, 3_520, 3_597, 3_676, 3_756, 3_838, 3_922, 4_008],
)

/** Clause 6.2.1.3: limits of the scale factors' logarithms, 2^11 to an octave. */
export const LOW_SCALE_MAX = 18_432
export const HIGH_SCALE_MAX = 22_528
