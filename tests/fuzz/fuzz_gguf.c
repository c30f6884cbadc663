/* SPDX-License-Identifier: MIT
 * Any bytes as a GGUF file: open, then touch everything that the directory hands out. */
#include <stdint.h>
#include <stdlib.h>

#include "gguf/gguf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned touched; /* keeps the reads */

static void touch(const void *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) touched += ((const uint8_t *)bytes)[i];
}

static void touch_value(const lm_gguf_value *value) {
    lm_gguf_strings iterator = {0, 0};
    lm_gguf_str text;
    int64_t number;
    double real;
    touch(value->key.data, value->key.size);
    touch(value->data, value->bytes);
    while (lm_gguf_next_string(value, &iterator, &text)) touch(text.data, text.size);
    for (uint64_t i = 0; i < value->count; i++)
        if (lm_gguf_element_int(value, i, &number) || lm_gguf_element_float(value, i, &real)) touched++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    lm_env env;
    lm_error error;
    lm_gguf *gguf = NULL;
    lm_gguf_part part = {data, size, size};
    lm_env_init(&env, NULL, NULL);
    if (lm_gguf_open(&env, &part, NULL, &gguf, &error) != LM_OK) return 0;
    for (size_t i = 0; i < lm_gguf_n_values(gguf); i++) touch_value(lm_gguf_value_at(gguf, i));
    for (size_t i = 0; i < lm_gguf_n_tensors(gguf); i++) {
        const lm_gguf_tensor *tensor = lm_gguf_tensor_at(gguf, i);
        if (lm_gguf_find_tensor_n(gguf, tensor->name.data, tensor->name.size) != tensor) abort();
        touch(lm_gguf_tensor_data(gguf, tensor), (size_t)tensor->bytes);
    }
    lm_gguf_close(gguf);
    return 0;
}
