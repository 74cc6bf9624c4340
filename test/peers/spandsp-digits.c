/* Reads 16-bit samples at 8 kHz from stdin and prints the DTMF digits that spandsp's receiver finds. */
#include <stdint.h>
#include <stdio.h>
#include <tiffio.h>
#include <spandsp.h>

int main(void)
{
    int16_t samples[160];
    char digits[129];
    size_t count;
    dtmf_rx_state_t *receiver = dtmf_rx_init(NULL, NULL, NULL);
    while ((count = fread(samples, sizeof samples[0], 160, stdin)) > 0) {
        dtmf_rx(receiver, samples, (int) count);
        if (dtmf_rx_get(receiver, digits, 128) > 0)
            fputs(digits, stdout);
    }
    return dtmf_rx_free(receiver);
}
