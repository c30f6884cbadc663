/* SPDX-License-Identifier: MIT
 * liblm-box: the bytes of box.gguf, put among the constants by the assembler, and the function that opens them. For a build
 * by hand: cc -Iinclude app.c examples/box/box.c -llm, from the folder that holds examples/, or with LM_BOX_FILE set. */
#include <lm/box.h>

#ifndef LM_BOX_FILE
#define LM_BOX_FILE "examples/box/box.gguf"
#endif

#if defined(__APPLE__)
#define SECTION ".const_data\n"
#define SYMBOL(name) ".globl _" name "\n.private_extern _" name "\n_" name ":\n"
#elif defined(_WIN32)
#define SECTION ".section .rdata,\"dr\"\n"
#if defined(__i386__)
#define SYMBOL(name) ".globl _" name "\n_" name ":\n"
#else
#define SYMBOL(name) ".globl " name "\n" name ":\n"
#endif
#else
#define SECTION ".section .rodata.lm_box,\"a\",%progbits\n"
#define SYMBOL(name) ".globl " name "\n.hidden " name "\n" name ":\n"
#endif

/* Aligned as the tensors in the file are, so that kernels find every row where they would in a mapped file. */
__asm__(SECTION ".balign 64\n" SYMBOL("lm_box_begin") ".incbin \"" LM_BOX_FILE
                                                      "\"\n" SYMBOL("lm_box_end") ".byte 0\n.text\n");

extern const unsigned char lm_box_begin[] __attribute__((visibility("hidden")));
extern const unsigned char lm_box_end[] __attribute__((visibility("hidden")));

lm_status lm_model_open_builtin(const lm_model_params *params, lm_model **out, lm_error *error) {
    return lm_model_open_memory(lm_box_begin, (size_t)(lm_box_end - lm_box_begin), params, out, error);
}
