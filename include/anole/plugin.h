/* SPDX-License-Identifier: MIT
 *
 * anole/plugin.h - everything that a backend needs to know about Anole.
 *
 * A backend is a shared object that exports one const data symbol,
 * `anole_plugin`, and nothing else.  It includes this header, links to no
 * library of ours, and describes three things:
 *
 *   Describe   which drivers and devices there are, and what they are like.
 *   Generate   the design space of a task on a device, and the kernel for one
 *              point of it.  These ops are *pure*: the same arguments give the
 *              same answer, always, on any thread, without a device.  They may
 *              be asked about a device that is in another machine.
 *   Time       open a device, build a kernel, move data, run.
 *
 * What a backend does not do: choose configs, judge results, decide how often
 * to repeat a run.  Anole does that for all backends alike.
 *
 * Where the ops run.  The describe and time ops are called in a worker process
 * that loads this plugin and one driver only, from one thread.  If the plugin
 * crashes, hangs or exits there, the worker is replaced and the trial in hand
 * is recorded as failed; the tuner itself goes on.  The generate ops are called
 * in the worker and in the tuner, possibly from several threads at once.
 *
 * Ownership.  What an op receives it borrows, until it returns.  What it
 * creates (`struct anole_session`, `anole_buffer`, `anole_build`: types that
 * the plugin defines as it likes) stays its own until the matching op is called
 * to destroy it.  Strings and arrays handed to a builder are copied by it.
 *
 * Return values.  Ops return ANOLE_OK or one of the negative `anole_code`s, and
 * put a sentence for the user into `message` when they fail.  Outputs are set
 * only on success.
 *
 * Compatibility.  Within one ANOLE_PLUGIN_ABI, structs only grow, at their
 * ends; each begins with its size in bytes as its author knew it, so that an
 * old plugin and a new host (or the reverse) see what they share.  Anything
 * else raises the number.
 */
#ifndef ANOLE_PLUGIN_H
#define ANOLE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ANOLE_PLUGIN_MAGIC UINT64_C(0x474c50454c4f4e41) /* "ANOLEPLG" */
#define ANOLE_PLUGIN_ABI 1u

/* ------------------------------------------------------------------ codes */

enum anole_code {
    ANOLE_OK = 0,
    ANOLE_UNSUPPORTED = -1,   /* this backend or device does not do that        */
    ANOLE_BAD_REQUEST = -2,   /* an argument is out of range                    */
    ANOLE_BUILD_FAILED = -3,  /* the kernel does not compile                   */
    ANOLE_LAUNCH_FAILED = -4, /* the device refuses to run the kernel         */
    ANOLE_NO_MEMORY = -5,     /* host or device memory is used up                 */
    /* The driver or the device stopped working.  The process is replaced, and the trial
     * made again, once; a device that cannot be opened then is waited for. */
    ANOLE_DEVICE_LOST = -6,
    ANOLE_NO_DEVICE = -7, /* no such driver, or it has no such device         */
    /* For devices that are simulated, and know what became of a run: */
    ANOLE_WRONG_ANSWER = -8, /* it computed the wrong thing                   */
    ANOLE_TIMED_OUT = -9,    /* it took too long, and was ended                  */
};

/* Caller-owned text; a failing op writes a NUL-terminated sentence (what
 * failed, what was expected, what was found).  May be long: a compiler's log. */
struct anole_message {
    uint32_t size; /* of this struct */
    char text[4092];
};

/* --------------------------------------------------------------- describe */

/* The host's processors, as hwloc sees them.  0 means not known. */
struct anole_topology {
    uint32_t size; /* of this struct */
    uint32_t packages;
    uint32_t cores;   /* physical cores that this process may use */
    uint32_t threads; /* hardware threads that this process may use */
    uint32_t numa_nodes;
    uint32_t simd_bits;      /* widest usable vector register: 128, 256, 512 */
    uint32_t simd_registers; /* number of these registers */
    uint32_t clock_mhz;      /* highest, if known */
    uint64_t cache_l1d;      /* bytes, of one core */
    uint64_t cache_l2;       /* bytes, of one instance */
    uint64_t cache_l3;       /* bytes, of one instance */
    uint64_t cache_line;     /* bytes */
    uint64_t memory;         /* bytes, all nodes */
    char cpu_name[128];
    char architecture[32]; /* as `uname -m` */
};

enum anole_log_level { ANOLE_LOG_ERROR, ANOLE_LOG_WARNING, ANOLE_LOG_INFO, ANOLE_LOG_DEBUG };

enum anole_host_flag {
    /* The process is a program's that runs networks by the library, and no worker: its
     * environment, its signals, and which cores its threads may use stay as they are.  It may
     * have several sessions, which are opened and closed one at a time, but used by several
     * threads at once, each by one. */
    ANOLE_HOST_GUEST = 1u << 0,
};

/* What a plugin may use of the host; valid for the life of the process. */
struct anole_host {
    uint32_t size;    /* of this struct */
    uint32_t threads; /* threads that a CPU device shall use; 0: all cores */
    const struct anole_topology *topology;
    void (*log)(enum anole_log_level level, const char *text);
    /* An absolute path of a folder that all workers of a run share and that is
     * removed at its end: for compilers' caches.  NULL: there is none. */
    const char *scratch;
    uint32_t flags; /* enum anole_host_flag */
    uint32_t reserved;
};

enum anole_device_type {
    ANOLE_DEVICE_CPU = 1,
    ANOLE_DEVICE_GPU = 2,
    ANOLE_DEVICE_ACCELERATOR = 3,
};

enum anole_device_flag {
    /* Kernels run on the cores that also build: builds and timings take turns. */
    ANOLE_DEVICE_SHARES_HOST = 1u << 0,
    /* There is no data: runs return times from a record or a formula.  Nothing is moved to such
     * a device, no buffer is made, and all bindings of a run are absent (their buffer is NULL):
     * do not look at them.  Kernels are generated, built and run.  device_seconds of each repeat
     * counts, or else *host_seconds over the repeats.  Outputs are not checked: results, lock
     * files and `anole verify` say so. */
    ANOLE_DEVICE_SIMULATED = 1u << 1,
    /* Events give trustworthy device time; else the host's clock is used.  It is believed from
     * 0.5 to 105 % of the time that the host saw pass.  Once a task's trials are timed by it, a
     * run whose times lie outside counts as failed: clocks are not mixed within a task. */
    ANOLE_DEVICE_EVENT_TIMER = 1u << 2,
    /* Plain kernels with the same source, built one after another in a session, cost one
     * build, and what `binary` gives of one of them has all that were built by then. */
    ANOLE_DEVICE_SHARES_PROGRAMS = 1u << 3,
    /* A device with a clock of its own, such as a simulator that computes real data and counts
     * cycles.  Outputs are verified as everywhere; but device_seconds alone says how long a run
     * took, whatever the host's clock says meanwhile: both may differ a thousandfold.  Each
     * repeat, and each step of a sequence, must have a finite time of more than 0.  The same
     * work should take the same time. */
    ANOLE_DEVICE_OWN_CLOCK = 1u << 4,
};

/* A fact about the device that has no field of its own, e.g. {"warp", 32}. */
struct anole_property {
    char name[32];
    double value;
};

#define ANOLE_MAX_PROPERTIES 32

/* Plain data: it is sent between processes and stored.  Unknown numbers are 0,
 * unknown texts empty. */
struct anole_device {
    uint32_t size;  /* of this struct */
    uint32_t index; /* among the devices of its driver */
    uint32_t type;  /* enum anole_device_type */
    uint32_t flags; /* enum anole_device_flag */
    char name[128]; /* "AMD EPYC 9R45" */
    char vendor[64];
    char driver[128]; /* the driver's name, e.g. "Portable Computing Language" */
    char driver_version[64];
    uint32_t compute_units;
    uint32_t clock_mhz;
    uint32_t simd_width; /* fp32 lanes that one instruction works on; warp or
                            wave width on a GPU */
    uint32_t registers;  /* vector registers a thread may use */
    uint32_t cores;
    uint32_t numa_nodes;
    uint64_t max_work_group; /* work-items */
    uint64_t max_work_items[3];
    uint64_t local_memory;   /* bytes a work-group may use */
    uint64_t global_memory;  /* bytes */
    uint64_t max_allocation; /* bytes */
    uint64_t cache_l1;       /* bytes */
    uint64_t cache_l2;       /* bytes */
    uint64_t cache_l3;       /* bytes */
    uint64_t cache_line;     /* bytes */
    uint32_t property_count;
    /* What came later, in place of what was reserved: seconds that a build, and a run or a batch
     * of timed runs, may take before it counts as hanging, while nothing is known of those
     * before; 0: the host's usual, 30 and 10.  Users may say otherwise. */
    uint16_t build_seconds;
    uint16_t run_seconds;
    struct anole_property properties[ANOLE_MAX_PROPERTIES];
};

/* Copies a driver's name.  `driver` is opaque to the host and names one driver
 * to `probe` and `open`: a path of an .icd file, a host name, "". */
struct anole_driver_list {
    uint32_t size;
    uint32_t reserved;
    void *host;
    int (*add)(struct anole_driver_list *list, const char *driver);
};

/* ------------------------------------------------------------------- task */

enum anole_task_kind {
    /* Weights [out_c][kernel_h][kernel_w][in_c / groups]. */
    ANOLE_TASK_CONV2D = 1,
    /* Weights [kernel_h][kernel_w][out_c]; groups == in_c; output channel k
     * reads input channel k / (out_c / in_c). */
    ANOLE_TASK_DEPTHWISE_CONV2D = 2,
    /* y[n][k] = sum_c x[n][c] w[k][c]; in_h = in_w = 1.  Weights [out_c][in_c]. */
    ANOLE_TASK_DENSE = 3,
    /* The kernel that comes with the task (anole_task.custom), or, where there is
     * none, whatever `name` means to the backend; shapes are 0. */
    ANOLE_TASK_CUSTOM = 4,
    /* The transposed convolution (also called deconvolution): input pixel i of a row is
     * added to output pixels i * stride_w - pad_left + kw * dilation_w.  That is,
     * out[oh][ow][k] = sum over kh, kw and c of in[ih][iw][c] w[k][kh][kw][c], where
     * ih = (oh + pad_top - kh * dilation_h) / stride_h, where that is a whole number.
     * out_h = (in_h - 1) * stride_h + (kernel_h - 1) * dilation_h + 1 - pad_top
     * - pad_bottom + output_pad_h.  Weights [out_c][kernel_h][kernel_w][in_c / groups]. */
    ANOLE_TASK_CONV_TRANSPOSE2D = 5,
    /* `batch` products of matrices that are both made while the network runs:
     * y[n][i][k] = sum_c a[n][i][c] b[n][c][k], with out_w rows i, in_c = c, out_c = k;
     * in_w = out_w, and all other sizes are 1.  a is in ANOLE_ROLE_INPUT, b in
     * ANOLE_ROLE_WEIGHTS, where it stays as it is: there is no pack().  With
     * ANOLE_TASK_TRANSPOSE_A, a is [n][c][i]; with ANOLE_TASK_TRANSPOSE_B, b is [n][k][c]. */
    ANOLE_TASK_MATMUL = 6,
    /* Not tuned: a plain kernel of the host's for one operator of a network that is run,
     * in the language that task->custom names.  It has as many tensors as it likes: its
     * arguments are of ANOLE_ROLE_TENSOR, and it is run with a binding for each of them.
     * An output may be bound to the memory of an input where each element depends on the
     * same element of the inputs alone: no part of a run may be made twice.
     * Of the generate ops `supports` alone is asked; where it says no, the host computes
     * the operator itself. */
    ANOLE_TASK_OPERATOR = 16,
};

/* The types of elements: name, value, name in files, bytes, what an element is.  A REAL is
 * a floating-point number, a BOOL a byte that is 0 or 1. */
#define ANOLE_DTYPE_MAP(X)                                                                         \
    X(F32, 1, "f32", 4, REAL)                                                                      \
    X(F16, 2, "f16", 2, REAL)                                                                      \
    /* Tensors are as of F32, but whoever asks for this lets kernels round inputs and weights      \
     * to mantissas of 10 bits before they multiply, and sum up in fp32.  A kernel that does       \
     * not is right as well: a backend that has nothing faster may serve such a task as it         \
     * serves F32, or say that it does not support it. */                                          \
    X(TF32, 3, "tf32", 4, REAL)                                                                    \
    X(F64, 4, "f64", 8, REAL)                                                                      \
    X(BF16, 5, "bf16", 2, REAL)                                                                    \
    X(I8, 6, "i8", 1, INT)                                                                         \
    X(U8, 7, "u8", 1, UINT)                                                                        \
    X(I16, 8, "i16", 2, INT)                                                                       \
    X(U16, 9, "u16", 2, UINT)                                                                      \
    X(I32, 10, "i32", 4, INT)                                                                      \
    X(U32, 11, "u32", 4, UINT)                                                                     \
    X(I64, 12, "i64", 8, INT)                                                                      \
    X(U64, 13, "u64", 8, UINT)                                                                     \
    X(BOOL, 14, "bool", 1, BOOL)

enum anole_dtype {
#define ANOLE_DTYPE_VALUE(name, value, text, bytes, kind) ANOLE_##name = value,
    ANOLE_DTYPE_MAP(ANOLE_DTYPE_VALUE)
#undef ANOLE_DTYPE_VALUE
};

/* Activations: name, value, name in files, how many parameters it has (a: alpha, b: beta, in
 * struct anole_task), and what they are where files do not say. */
#define ANOLE_ACTIVATION_MAP(X)                                                                    \
    X(NONE, 0, "none", 0, 0, 0)                                                                    \
    X(RELU, 1, "relu", 0, 0, 0)                /* max(x, 0) */                                     \
    X(RELU6, 2, "relu6", 0, 0, 0)              /* min(max(x, 0), 6) */                             \
    X(LEAKY_RELU, 3, "leaky_relu", 1, 0.01, 0) /* x < 0 ? a x : x */                               \
    X(CLIP, 4, "clip", 2, 0, 6)                /* min(max(x, a), b) */                             \
    X(SIGMOID, 5, "sigmoid", 0, 0, 0)          /* 1 / (1 + exp(-x)) */                             \
    X(SILU, 6, "silu", 1, 1, 0)                /* x / (1 + exp(-a x)), or "swish" */               \
    X(TANH, 7, "tanh", 0, 0, 0)                                                                    \
    X(HARD_SIGMOID, 8, "hard_sigmoid", 2, 0.2, 0.5) /* min(max(a x + b, 0), 1) */                  \
    X(HARD_SWISH, 9, "hard_swish", 0, 0, 0)         /* x min(max(x / 6 + 1/2, 0), 1) */            \
    X(ELU, 10, "elu", 1, 1, 0)                      /* x < 0 ? a (exp(x) - 1) : x */               \
    X(GELU, 11, "gelu", 0, 0, 0)                    /* x/2 (1 + erf(x / sqrt(2))) */               \
    X(GELU_TANH, 12, "gelu_tanh", 0, 0, 0) /* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */

enum anole_activation {
#define ANOLE_ACTIVATION_VALUE(name, value, text, parameters, alpha, beta) ANOLE_ACT_##name = value,
    ANOLE_ACTIVATION_MAP(ANOLE_ACTIVATION_VALUE)
#undef ANOLE_ACTIVATION_VALUE
};

enum anole_task_flag {
    ANOLE_TASK_BIAS = 1u << 0,        /* add bias[out_c] */
    ANOLE_TASK_RESIDUAL = 1u << 1,    /* add a tensor shaped as the output */
    ANOLE_TASK_TRANSPOSE_A = 1u << 2, /* ANOLE_TASK_MATMUL only */
    ANOLE_TASK_TRANSPOSE_B = 1u << 3, /* ANOLE_TASK_MATMUL only */
};

/* What a kernel that comes with its task is written in. */
enum anole_language { ANOLE_OPENCL_C = 1 };

/* A kernel that comes with its task.  Its space, its source and its launches are
 * the host's affair: of the generate ops, `supports` alone is asked, which says
 * whether `build` takes the language (and the role ANOLE_ROLE_VALUE).  All that
 * the kernel reads and does not write lies in the role INPUT, all that it writes
 * in OUTPUT, each argument at an offset of its own.  A backend of simulated devices
 * has a space of its own for it, as for any other task. */
struct anole_custom {
    uint32_t size;        /* of this struct */
    uint32_t language;    /* enum anole_language */
    const char *name;     /* as its author calls it */
    uint64_t digest;      /* of all there is to it: source, space, arguments, data */
    uint64_t input_bytes; /* of INPUT and OUTPUT: multiples of 4096; 0: absent */
    uint64_t output_bytes;
    double operations; /* floating-point ones, of a run; 0: not known */
    /* ANOLE_TASK_OPERATOR only: how many tensors the kernel is run with, and the bytes of
     * each, [tensor_count]; 0: it does not use that one. */
    uint32_t tensor_count;
    uint32_t reserved;
    const uint64_t *tensor_bytes;
};

/* One layer shape.  Activations are NHWC: input [batch][in_h][in_w][in_c],
 * output and residual [batch][out_h][out_w][out_c], innermost last.
 * out = activation(conv(in, w) + bias + residual). */
struct anole_task {
    uint32_t size;       /* of this struct */
    uint32_t kind;       /* enum anole_task_kind */
    uint32_t dtype;      /* enum anole_dtype: of input, weights and output */
    uint32_t activation; /* enum anole_activation */
    uint32_t flags;      /* enum anole_task_flag */
    uint32_t groups;     /* >= 1; in_c and out_c are multiples of it */
    uint32_t batch;
    uint32_t in_h, in_w, in_c;
    uint32_t out_h, out_w, out_c;
    uint32_t kernel_h, kernel_w;
    uint32_t stride_h, stride_w;
    uint32_t dilation_h, dilation_w;
    uint32_t pad_top, pad_left, pad_bottom, pad_right;
    uint32_t reserved;
    char name[64];                     /* ANOLE_TASK_CUSTOM only */
    const struct anole_custom *custom; /* ANOLE_TASK_CUSTOM only; NULL: none */
    /* What follows came later.  A plugin whose anole_plugin.task_size ends before a field
     * is only handed tasks in which that field is 0; nor does one without a task_size get
     * kinds, activations and flags that are younger than it is. */
    uint32_t output_pad_h, output_pad_w; /* ANOLE_TASK_CONV_TRANSPOSE2D only: more rows at
                                            the bottom and columns at the right; less than
                                            the stride */
    float alpha, beta;                   /* of the activation; 0 where it has none */
    /* Elements from one pixel to the next, where a tensor is a part of the channels of a
     * wider one (so that a concatenation needs no copy); 0: as many as it has channels.  Such
     * a tensor begins at a multiple of 128 bytes in its buffer, and its binding ends with its
     * last channel. */
    uint32_t in_pitch, out_pitch, residual_pitch;
    uint32_t reserved2;
};

/* ------------------------------------------------------------ design space */

enum anole_knob_kind {
    ANOLE_KNOB_ORDINAL = 1,     /* values have an order that matters: sizes, factors */
    ANOLE_KNOB_CATEGORICAL = 2, /* values are names in disguise: an algorithm */
};

/* What a design space may have.  Its configs, valid or not, are fewer than 2^63; without a knob
 * it has one, which is the default. */
#define ANOLE_MOST_KNOBS 64    /* all of them come before the first constraint */
#define ANOLE_MOST_VALUES 4096 /* of a knob */
#define ANOLE_MOST_CONSTRAINTS 1024
#define ANOLE_MOST_FEATURES 1024 /* of a config */

/* One tunable parameter.  A config is one value for each knob, in the order in
 * which the knobs were added. */
struct anole_knob {
    uint32_t size;          /* of this struct */
    uint32_t kind;          /* enum anole_knob_kind */
    const char *name;       /* an identifier, unique in the space, up to 31 bytes */
    const int64_t *values;  /* distinct; ordinal values ascend */
    uint32_t count;         /* 1 to ANOLE_MOST_VALUES */
    uint32_t default_index; /* into values: the knob's part of the default config */
    /* For a categorical knob: a name for each value, or NULL. */
    const char *const *labels;
};

/* The host's side of a design space that a plugin fills in. */
struct anole_space_builder {
    uint32_t size;
    uint32_t reserved;
    void *host;
    int (*knob)(struct anole_space_builder *builder, const struct anole_knob *knob);
    /* `expression` over knob names must be non-zero for a config to be valid.
     * Integers and floating-point numbers; operators, loosest first:
     *   or  and  not  == != < <= > >=  + -  * / // %  unary -  **
     * (also || && !), parentheses, and the functions min, max, abs, ceil_div,
     * round_up.  `//` floors, `/` gives a fraction.  Division by zero makes
     * the config invalid.  Constraints over few knobs are the cheapest: they
     * prune early.  `why` is shown to the user. */
    int (*constraint)(struct anole_space_builder *builder, const char *expression, const char *why);
};

/* ----------------------------------------------------------------- kernel */

/* What a kernel argument is bound to. */
enum anole_role {
    ANOLE_ROLE_INPUT = 0,
    ANOLE_ROLE_WEIGHTS = 1,  /* as packed by the plugin's pack() */
    ANOLE_ROLE_BIAS = 2,     /* [out_c]; absent without ANOLE_TASK_BIAS */
    ANOLE_ROLE_RESIDUAL = 3, /* absent without ANOLE_TASK_RESIDUAL */
    ANOLE_ROLE_OUTPUT = 4,
    ANOLE_ROLE_WORKSPACE = 5,
    ANOLE_ROLE_COUNT = 6,
    ANOLE_ROLE_INT = 16,   /* an int32 by value: anole_arg.value */
    ANOLE_ROLE_LOCAL = 17, /* local memory: anole_arg.value bytes */
    /* Custom tasks alone: the least significant anole_arg.bytes bytes of
     * anole_arg.value, by value, whatever type they are of. */
    ANOLE_ROLE_VALUE = 18,
    ANOLE_ROLE_TENSOR = 19, /* ANOLE_TASK_OPERATOR alone: bindings[anole_arg.value] */
};

struct anole_arg {
    uint32_t role;  /* enum anole_role */
    uint32_t bytes; /* of ROLE_VALUE: 1, 2, 4 or 8; else 0 */
    int64_t
        value; /* of ROLE_INT, ROLE_LOCAL, ROLE_VALUE and ROLE_TENSOR; else an offset in bytes */
};

#define ANOLE_MAX_ARGS 16
#define ANOLE_MAX_LAUNCHES 8
#define ANOLE_MOST_SOURCE ((size_t)16 << 20)  /* bytes of a kernel's source, */
#define ANOLE_MOST_OPTIONS ((size_t)64 << 10) /* of its options, */
#define ANOLE_MOST_KERNEL_NAME 127            /* and of the name of a launch's function */

/* One launch of a kernel; a config may need several, run in order. */
struct anole_launch {
    uint32_t size;       /* of this struct */
    uint32_t dimensions; /* 1 to 3 */
    const char *kernel;  /* the function's name, up to ANOLE_MOST_KERNEL_NAME bytes */
    uint64_t global[3];  /* work-items in all; a multiple of local */
    uint64_t local[3];
    uint32_t arg_count;
    uint32_t reserved;
    struct anole_arg args[ANOLE_MAX_ARGS];
};

/* The host's side of a kernel that a plugin generates.  A backend without kernels of its own, with
 * a library behind it, leaves out the source, or the launches, or both: `build` goes by the task
 * and the config then, and each config of each task counts as a kernel of its own.  Where there
 * are launches, one has to be bound to the output. */
struct anole_kernel_builder {
    uint32_t size;
    uint32_t reserved;
    void *host;
    /* Appends `length` bytes of source text; may be called several times, for up to
     * ANOLE_MOST_SOURCE bytes in all. */
    int (*source)(struct anole_kernel_builder *builder, const char *text, size_t length);
    int (*options)(struct anole_kernel_builder *builder, const char *text);
    int (*launch)(struct anole_kernel_builder *builder, const struct anole_launch *launch);
    /* Bytes that pack() will write; 0 (the default): weights go in as they are. */
    int (*packed_weights)(struct anole_kernel_builder *builder, size_t bytes);
    /* Bytes of scratch memory in device memory; default 0. */
    int (*workspace)(struct anole_kernel_builder *builder, size_t bytes);
};

/* A generated kernel, as the time group gets it. */
struct anole_kernel {
    uint32_t size; /* of this struct */
    uint32_t launch_count;
    const char *source; /* NUL-terminated; "" if there is none */
    size_t source_length;
    const char *options; /* never NULL */
    const struct anole_launch *launches;
    size_t packed_weights; /* bytes */
    size_t workspace;      /* bytes */
    const struct anole_task *task;
    const int64_t *values; /* the config, [value_count] */
    uint32_t value_count;
    uint32_t reserved;
};

/* -------------------------------------------------------------- diagnosis */

enum anole_verdict {
    ANOLE_VERDICT_FINE = 0,
    ANOLE_VERDICT_NOTE = 1,    /* works, but less well than it could */
    ANOLE_VERDICT_FAULT = 2,   /* does not work */
    ANOLE_VERDICT_SKIPPED = 3, /* could not be looked at, or does not apply */
};

#define ANOLE_ALL_DEVICES UINT32_MAX

/* The host's side of what `diagnose` finds. */
struct anole_diagnosis {
    uint32_t size;
    uint32_t reserved;
    void *host;
    /* `check`: a few words, what was looked at: "event timer".  `found`: a
     * sentence without a full stop.  `mend`: the command, or what else there is to
     * do, that mends it; NULL: nothing.  Copied; cut at 63, 511 and 511 bytes. */
    int (*report)(struct anole_diagnosis *diagnosis, const char *check, uint32_t verdict,
                  const char *found, const char *mend);
};

/* ------------------------------------------------------------------- time */

struct anole_session;  /* an open device */
struct anole_buffer;   /* memory of the device */
struct anole_build;    /* a kernel built for the device */
struct anole_sequence; /* runs of several, bound and in order */

/* `bytes` of a buffer from `offset` on.  The host leaves guard bytes around:
 * a kernel that is handed this binding must touch nothing else.  Offsets are
 * multiples of 4096. */
struct anole_binding {
    struct anole_buffer *buffer; /* NULL: the role is absent */
    size_t offset;
    size_t bytes;
};

/* One run in a sequence of them.  A build may take part in several, with other bindings. */
struct anole_sequence_step {
    struct anole_build *build;
    const struct anole_binding *bindings; /* [binding_count] */
    uint32_t binding_count;
    uint32_t reserved;
};

/* -------------------------------------------------------------- the plugin */

struct anole_plugin {
    uint64_t magic;      /* ANOLE_PLUGIN_MAGIC */
    uint32_t abi;        /* ANOLE_PLUGIN_ABI */
    uint32_t size;       /* sizeof (struct anole_plugin) */
    const char *name;    /* the file is called NAME.so; [a-z0-9_-]+ */
    const char *version; /* of the backend, for people */
    uint32_t generator;  /* raised when a config comes to mean another kernel:
                            older results then no longer apply */
    uint32_t reserved;

    /* -- Describe -- */

    /* (optional) Lists drivers without loading any; absent: one, "". */
    int (*drivers)(const struct anole_host *host, struct anole_driver_list *list,
                   struct anole_message *message);
    /* Loads one driver and describes its devices.  *count: in, the room in
     * `devices`; out, how many there are (which may be more).  No device at all
     * is no failure. */
    int (*probe)(const struct anole_host *host, const char *driver, struct anole_device *devices,
                 uint32_t *count, struct anole_message *message);

    /* -- Generate: pure -- */

    /* 1 if this backend has a generator for the task on such a device, else 0. */
    int (*supports)(const struct anole_device *device, const struct anole_task *task);
    /* Declares knobs and constraints.  The default config must be valid.  Where it fails, or
     * leaves no config, tuning leaves the task out, and says why. */
    int (*space)(const struct anole_device *device, const struct anole_task *task,
                 struct anole_space_builder *builder, struct anole_message *message);
    /* (optional) What constraints cannot say: 1 if the config can work, else 0.
     * Asked only about configs that meet every constraint; must be fast (about
     * a microsecond), it is called a great many times. */
    int (*valid)(const struct anole_device *device, const struct anole_task *task,
                 const int64_t *values, uint32_t count);
    /* (optional) Numbers that help a model predict the time of a config, e.g.
     * the bytes of a tile or work-groups per core.  Returns how many there are
     * (the same for each config of a task, up to ANOLE_MOST_FEATURES) and writes them if `out` is
     * not NULL; there is room for as many as a call with NULL announced. */
    uint32_t (*features)(const struct anole_device *device, const struct anole_task *task,
                         const int64_t *values, uint32_t count, double *out);
    /* (optional, goes with features) The name of feature i: a literal. */
    const char *(*feature_name)(uint32_t task_kind, uint32_t i);
    /* The kernel of one config. */
    int (*generate)(const struct anole_device *device, const struct anole_task *task,
                    const int64_t *values, uint32_t count, struct anole_kernel_builder *builder,
                    struct anole_message *message);
    /* (optional) Lays `weights` (in the task's canonical layout, see
     * anole_task_kind) out as the kernel of this config reads them. */
    int (*pack)(const struct anole_device *device, const struct anole_task *task,
                const int64_t *values, uint32_t count, const void *weights, size_t weights_bytes,
                void *packed, size_t packed_bytes, struct anole_message *message);

    /* -- Time -- */

    int (*open)(const struct anole_host *host, const char *driver, uint32_t index,
                struct anole_session **session, struct anole_message *message);
    void (*close)(struct anole_session *session);

    int (*buffer_create)(struct anole_session *session, size_t bytes, struct anole_buffer **buffer,
                         struct anole_message *message);
    int (*buffer_write)(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                        const void *data, size_t bytes, struct anole_message *message);
    int (*buffer_read)(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                       void *data, size_t bytes, struct anole_message *message);
    void (*buffer_destroy)(struct anole_session *session, struct anole_buffer *buffer);

    /* Builds a kernel; all the compiling that a first run would do belongs in
     * here.  `binary` (NULL: from source) came from `binary` below, in another
     * process, for the same kernel; a plugin that cannot use it builds from
     * source, and leaves words in `message` that say so. */
    int (*build)(struct anole_session *session, const struct anole_kernel *kernel,
                 const void *binary, size_t binary_bytes, struct anole_build **build,
                 struct anole_message *message);
    /* (optional) Writes up to *bytes bytes of the built kernel in a form that
     * another process can load, and sets *bytes to its whole size; `data` NULL
     * asks for the size alone. */
    int (*binary)(struct anole_session *session, struct anole_build *build, void *data,
                  size_t *bytes, struct anole_message *message);
    void (*release)(struct anole_session *session, struct anole_build *build);

    /* Runs the kernel's launches `repeats` times, back to back, and waits once,
     * at the end.  bindings[ANOLE_ROLE_COUNT].  *host_seconds: wall time of the
     * whole, from before the first enqueue to after the wait.
     * device_seconds[repeats]: execution time of each repeat by the device's own
     * clock, all its launches together; negative where there is none.
     * bindings[binding_count]: ANOLE_ROLE_COUNT of them, or, of an ANOLE_TASK_OPERATOR, one
     * for each tensor; all of them absent on an ANOLE_DEVICE_SIMULATED. */
    int (*run)(struct anole_session *session, struct anole_build *build,
               const struct anole_binding *bindings, uint32_t binding_count, uint32_t repeats,
               double *device_seconds, double *host_seconds, struct anole_message *message);

    /* -- Examine -- */

    /* (optional) For `anole doctor`: looks for what may keep this backend from
     * working, and reports it, what is well included.  `driver` NULL: what must be
     * there before there can be a driver.  Else `index` ANOLE_ALL_DEVICES: this
     * driver; or one of its devices, which is opened, and runs something.  Called in
     * a worker process of its own for each of these, so that a crash is a finding,
     * too.  Fails only where nothing can be reported. */
    int (*diagnose)(const struct anole_host *host, const char *driver, uint32_t index,
                    struct anole_diagnosis *diagnosis, struct anole_message *message);

    /* -- What it knows -- */

    /* sizeof (struct anole_task) as its author knew it: ANOLE_PLUGIN() sets it.  Absent or
     * 0: the struct ends with `custom`, and kinds up to ANOLE_TASK_CUSTOM, activations up
     * to ANOLE_ACT_RELU6, ANOLE_TASK_BIAS and ANOLE_TASK_RESIDUAL are all there is; the
     * host does not ask such a plugin about other tasks.  All others are asked, and say in
     * `supports` that they do not do a kind, an activation, a flag or a pitch. */
    uint32_t task_size;
    uint32_t reserved2;
    /* -- Run a network -- */

    /* (optional, all three or none) A sequence of runs that is submitted as a whole: what a
     * step writes the next one sees.  Everything that can be done ahead of a run (binding,
     * recording) belongs into sequence_create.  Buffers and builds outlive the sequence; the
     * arrays need not outlive the call.  Absent: the host calls `run` step by step, and times
     * kernels while their weights are in the caches, as they are not in a network. */
    int (*sequence_create)(struct anole_session *session, const struct anole_sequence_step *steps,
                           uint32_t count, struct anole_sequence **sequence,
                           struct anole_message *message);
    /* Runs it once, and waits once, at the end.  *host_seconds as in `run`.  device_seconds:
     * NULL, or [count]: of each step, as in `run`; asking for them may cost time. */
    int (*sequence_run)(struct anole_session *session, struct anole_sequence *sequence,
                        double *device_seconds, double *host_seconds,
                        struct anole_message *message);
    void (*sequence_destroy)(struct anole_session *session, struct anole_sequence *sequence);

    /* (optional, both or none) Memory that the host can use where it lies, on devices that
     * share it: *memory is where `bytes` of the buffer from `offset` on can be read and
     * written by the host until buffer_unmap.  Nothing runs meanwhile.  Several parts of a
     * buffer may be mapped at a time.  Absent: the host copies. */
    int (*buffer_map)(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                      size_t bytes, void **memory, struct anole_message *message);
    int (*buffer_unmap)(struct anole_session *session, struct anole_buffer *buffer, void *memory,
                        struct anole_message *message);
};

#if defined(__GNUC__)
#define ANOLE_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define ANOLE_PLUGIN_EXPORT
#endif

#ifdef __cplusplus
#define ANOLE_PLUGIN_LINKAGE extern "C"
#else
#define ANOLE_PLUGIN_LINKAGE extern
#endif

/* ANOLE_PLUGIN("name", "1.0", 1, .probe = my_probe, .supports = my_supports, ...);
 * defines the one exported symbol.  In C++ (2014 and later) the ops have to come in the order of
 * struct anole_plugin. */
#ifdef __cplusplus

/* Names of members in an initialiser are C++ since 2020 only.  Compilers take them before that,
 * and are told not to speak of it. */
#if defined(__clang__)
#define ANOLE_PLUGIN_QUIET                                                                         \
    _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wpedantic\"")            \
        _Pragma("clang diagnostic ignored \"-Wmissing-field-initializers\"")
#define ANOLE_PLUGIN_LOUD _Pragma("clang diagnostic pop")
#elif defined(__GNUC__)
#define ANOLE_PLUGIN_QUIET                                                                         \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wpragmas\"")                 \
        _Pragma("GCC diagnostic ignored \"-Wpedantic\"")                                           \
            _Pragma("GCC diagnostic ignored \"-Wc++20-extensions\"")                               \
                _Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"")
#define ANOLE_PLUGIN_LOUD _Pragma("GCC diagnostic pop")
#else
#define ANOLE_PLUGIN_QUIET
#define ANOLE_PLUGIN_LOUD
#endif

#if __cplusplus >= 201402L
constexpr
#else
inline
#endif
    struct anole_plugin
    anole_plugin_complete(struct anole_plugin plugin)
{
    plugin.task_size = sizeof(struct anole_task);
    return plugin;
}

#define ANOLE_PLUGIN(plugin_name, plugin_version, plugin_generator, ...)                           \
    ANOLE_PLUGIN_LINKAGE ANOLE_PLUGIN_EXPORT const struct anole_plugin anole_plugin;               \
    ANOLE_PLUGIN_QUIET                                                                             \
    const struct anole_plugin anole_plugin =                                                       \
        anole_plugin_complete({.magic = ANOLE_PLUGIN_MAGIC,                                        \
                               .abi = ANOLE_PLUGIN_ABI,                                            \
                               .size = sizeof(struct anole_plugin),                                \
                               .name = plugin_name,                                                \
                               .version = plugin_version,                                          \
                               .generator = plugin_generator,                                      \
                               __VA_ARGS__});                                                      \
    ANOLE_PLUGIN_LOUD static_assert(sizeof(struct anole_plugin) > 0, "")
#else
#define ANOLE_PLUGIN(plugin_name, plugin_version, plugin_generator, ...)                           \
    ANOLE_PLUGIN_LINKAGE ANOLE_PLUGIN_EXPORT const struct anole_plugin anole_plugin;               \
    const struct anole_plugin anole_plugin = {.magic = ANOLE_PLUGIN_MAGIC,                         \
                                              .abi = ANOLE_PLUGIN_ABI,                             \
                                              .size = sizeof(struct anole_plugin),                 \
                                              .task_size = sizeof(struct anole_task),              \
                                              .name = plugin_name,                                 \
                                              .version = plugin_version,                           \
                                              .generator = plugin_generator,                       \
                                              __VA_ARGS__}
#endif

#ifdef __cplusplus
}
#endif

#endif
