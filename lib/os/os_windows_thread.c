/* SPDX-License-Identifier: MIT
 * Clock, threads, sleeping and machine facts of Windows. Sleeping uses a condition variable of kernel32 rather than
 * WaitOnAddress, which costs about the same but lives in a library that a plain list of sources would not link. */
#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define _WIN32_WINNT 0x0602
#endif

#include "os.h"

#if defined(_WIN32)
#include <windows.h>

#define STACK_SIZE ((size_t)1 << 20)

uint64_t lm_os_now_ns(void) {
    LARGE_INTEGER ticks, frequency;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&ticks);
    uint64_t t = (uint64_t)ticks.QuadPart, f = (uint64_t)frequency.QuadPart;
    return t / f * UINT64_C(1000000000) + t % f * UINT64_C(1000000000) / f;
}

static DWORD WINAPI enter(void *opaque) {
    lm_os_thread *thread = opaque;
    thread->run(thread->arg);
    return 0;
}

lm_status lm_os_thread_create(lm_os_thread *thread, void (*run)(void *arg), void *arg) {
    *thread = (lm_os_thread){run, arg, 0};
    HANDLE handle = CreateThread(NULL, STACK_SIZE, enter, thread, 0, NULL);
    if (!handle) return LM_ERR_MEMORY;
    thread->handle = (uintptr_t)handle;
    return LM_OK;
}

void lm_os_thread_join(lm_os_thread *thread) {
    HANDLE handle = (HANDLE)thread->handle;
    WaitForSingleObject(handle, INFINITE);
    CloseHandle(handle);
}

int32_t lm_os_processor(void) { return (int32_t)GetCurrentProcessorNumber(); }

void lm_os_yield(void) { SwitchToThread(); }

lm_status lm_os_bell_create(lm_os_bell *bell) {
    _Static_assert(sizeof(SRWLOCK) == sizeof(void *) && sizeof(CONDITION_VARIABLE) == sizeof(void *),
                   "the bell has room for both");
    atomic_init(&bell->count, 0);
    InitializeSRWLock((SRWLOCK *)&bell->lock);
    InitializeConditionVariable((CONDITION_VARIABLE *)&bell->condition);
    return LM_OK;
}

void lm_os_bell_destroy(lm_os_bell *bell) { (void)bell; }

void lm_os_bell_wait(lm_os_bell *bell, uint32_t seen) {
    AcquireSRWLockExclusive((SRWLOCK *)&bell->lock);
    while (atomic_load_explicit(&bell->count, memory_order_acquire) == seen)
        SleepConditionVariableSRW((CONDITION_VARIABLE *)&bell->condition, (SRWLOCK *)&bell->lock, INFINITE, 0);
    ReleaseSRWLockExclusive((SRWLOCK *)&bell->lock);
}

/* The count changes under the lock, so it cannot fall between a sleeper's look and its sleep. */
void lm_os_bell_ring(lm_os_bell *bell) {
    AcquireSRWLockExclusive((SRWLOCK *)&bell->lock);
    atomic_fetch_add_explicit(&bell->count, 1, memory_order_release);
    ReleaseSRWLockExclusive((SRWLOCK *)&bell->lock);
    WakeAllConditionVariable((CONDITION_VARIABLE *)&bell->condition);
}

uint64_t lm_os_memory_total(void) {
    MEMORYSTATUSEX facts = {.dwLength = sizeof facts};
    return GlobalMemoryStatusEx(&facts) ? facts.ullTotalPhys : 0;
}

uint64_t lm_os_memory_available(void) {
    MEMORYSTATUSEX facts = {.dwLength = sizeof facts};
    return GlobalMemoryStatusEx(&facts) ? facts.ullAvailPhys : 0;
}

/* The records have different sizes; 64 KB hold some 1,300 cores. EfficiencyClass grows with speed. */
int32_t lm_os_performance_cores(void) {
    union {
        SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX record;
        char bytes[65536];
    } facts;
    DWORD size = sizeof facts;
    int32_t cores = 0;
    BYTE fastest = 0;
    if (!GetLogicalProcessorInformationEx(RelationProcessorCore, &facts.record, &size)) {
        SYSTEM_INFO system;
        GetSystemInfo(&system);
        return system.dwNumberOfProcessors > 0 ? (int32_t)system.dwNumberOfProcessors : 1;
    }
    for (DWORD at = 0; at < size;) {
        const SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX *record = (const void *)(facts.bytes + at);
        BYTE speed = ((const BYTE *)&record->Processor)[1]; /* EfficiencyClass, which older headers do not name */
        if (speed > fastest) fastest = speed, cores = 0;
        cores += speed == fastest;
        at += record->Size;
    }
    return cores > 0 ? cores : 1;
}
#endif
