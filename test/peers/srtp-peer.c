/*
 * libsrtp as a second opinion. Arguments: suite, key and salt in hex, MKI in hex or "-".
 * Each line of stdin is a letter and a packet in hex: p protects RTP, P RTCP, u and U undo it. Answers with the packet in hex,
 * or with "!" and libsrtp's error number.
 */
#include <srtp2/srtp.h>
#include <stdio.h>
#include <string.h>

static int from_hex(const char *text, unsigned char *octets)
{
    int length = 0;
    unsigned int octet;
    while (sscanf(text + 2 * length, "%2x", &octet) == 1)
        octets[length++] = (unsigned char) octet;
    return length;
}

static void set_suite(const char *suite, srtp_policy_t *policy)
{
    if (strcmp(suite, "AEAD_AES_128_GCM") == 0) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
    } else if (strcmp(suite, "AEAD_AES_256_GCM") == 0) {
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtcp);
    } else {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
        if (strcmp(suite, "AES_CM_128_HMAC_SHA1_32") == 0)
            srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy->rtp);
    }
}

static srtp_t session(const char *suite, srtp_ssrc_type_t direction, srtp_master_key_t *key, int use_mki)
{
    srtp_t made = NULL;
    srtp_policy_t policy;
    srtp_master_key_t *keys[1] = { key };
    memset(&policy, 0, sizeof policy);
    set_suite(suite, &policy);
    policy.ssrc.type = direction;
    policy.window_size = 128;
    if (use_mki) {
        policy.keys = keys;
        policy.num_master_keys = 1;
    } else {
        policy.key = key->key;
    }
    return srtp_create(&made, &policy) == srtp_err_status_ok ? made : NULL;
}

int main(int argc, char **argv)
{
    static char line[8192];
    unsigned char octets[2048], key_octets[64], mki_octets[128];
    srtp_master_key_t key = { key_octets, mki_octets, 0 };
    srtp_t sends, hears;
    int use_mki;
    if (argc != 4 || srtp_init() != srtp_err_status_ok)
        return 2;
    use_mki = strcmp(argv[3], "-") != 0;
    from_hex(argv[2], key_octets);
    key.mki_size = use_mki ? (unsigned int) from_hex(argv[3], mki_octets) : 0;
    sends = session(argv[1], ssrc_any_outbound, &key, use_mki);
    hears = session(argv[1], ssrc_any_inbound, &key, use_mki);
    if (sends == NULL || hears == NULL)
        return 3;
    while (fgets(line, sizeof line, stdin) != NULL) {
        int length = from_hex(line + 1, octets);
        srtp_err_status_t status = srtp_err_status_bad_param;
        if (line[0] == 'p')
            status = srtp_protect_mki(sends, octets, &length, use_mki, 0);
        else if (line[0] == 'P')
            status = srtp_protect_rtcp_mki(sends, octets, &length, use_mki, 0);
        else if (line[0] == 'u')
            status = srtp_unprotect_mki(hears, octets, &length, use_mki);
        else if (line[0] == 'U')
            status = srtp_unprotect_rtcp_mki(hears, octets, &length, use_mki);
        if (status != srtp_err_status_ok) {
            printf("!%d\n", (int) status);
            continue;
        }
        for (int i = 0; i < length; i++)
            printf("%02x", octets[i]);
        printf("\n");
    }
    return 0;
}
