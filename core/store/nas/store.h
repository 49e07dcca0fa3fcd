/* The store: one SQLite file in which nothing that was finished is lost.
 *
 *   evaluation  what training one network gave, under all that it depends on (nas_evaluation_key)
 *   study       a data set, a recipe and limits, as one text; it has runs
 *   run         trials in the order in which a script made them, numbered from 1. A run may begin
 * as another one of its study does, its parent: then only the trials from `first` on are its own
 *   trial       decisions, what they gave, and what the script logged of that
 *   session     a process that wrote: engine, machine, time
 *
 * Metrics and logged values are texts: JSON objects whose keys are sorted. Rows carry a checksum,
 * which is verified whenever they are read here.
 *
 * Several processes may use a file at once, and any program that knows SQLite may read it. Who
 * trains a network, and who continues a run, is settled by locks of the operating system in a file
 * beside it, which end with their owner. Nothing is being written between two calls.
 *
 * Threads: one caller at a time for each store.
 *
 * A process that is forked from the one that opened a store can't use it: only closing the store or
 * its rows, and unlocking, may be called there, and do nothing. Its locks end with the process that
 * took them, whoever was forked from that. */
#ifndef NAS_STORE_H
#define NAS_STORE_H

#include <nas/hash.h>
#include <nas/text.h>

typedef struct nas_store nas_store;

/* ---- Opening ---- */

/* Called about twenty times a second while the store waits for another process that writes; `what`
 * says so when that takes long, and is empty before. Anything but 0 ends the waiting:
 * NAS_INTERRUPTED. */
typedef int nas_store_wait(void *context, const char *what);

typedef struct nas_store_options {
  const char *path; /* NULL: in memory, gone when it is closed */
  int read_only;    /* 1: the file must be there, and what it says stays as it is. Where it may be
                       written, files that processes share lie beside it while it is open; in a
                       read-only folder only the one for temporary files is written to */
  int must_exist;   /* 1: no file is made where there is none */
  nas_store_wait *wait; /* NULL: waits as long as it takes */
  void *wait_context;
} nas_store_options;

/* Opens a store; makes the file where there is none, unless it must be there. A file of an older
 * schema is brought up to date, after a copy of it was made beside it: PATH.schema-2, or
 * PATH.schema-2-2, ... where there are files of such names. NAS_IO: it can't be opened, read or
 * written, or lies on a network file system; NAS_FORMAT: it is something else, damaged, or of a
 * newer schema; the file is then as it was. NAS_STATE: this process was forked from one that had
 * files of stores open, so that it can only have stores in memory. NAS_INTERRUPTED; NAS_MEMORY. The
 * caller owns *store; on failure it is NULL. */
NAS_API nas_status nas_store_open(nas_store **store, const nas_store_options *options,
                                  nas_error *err);

/* Closes, frees and clears the pointer. Accepts NULL and a pointer to NULL. */
NAS_API void nas_store_close(nas_store **store);

/* NAS_STATE in a process that was forked from the one that opened the store. */
NAS_API nas_status nas_store_check_process(const nas_store *store, nas_error *err);

NAS_API const char *nas_store_path(const nas_store *store); /* NULL: in memory */
NAS_API int nas_store_read_only(const nas_store *store);

/* What the rows that are written from now on say about who wrote them. The text fields may be NULL.
 */
typedef struct nas_session {
  const char *program; /* what was run: a script, a command */
  const char *isa;     /* the kernels' table */
  int threads;
} nas_session;

/* Begins a session; its row is written with the first row that names it. NAS_MEMORY. */
NAS_API nas_status nas_store_begin_session(nas_store *store, const nas_session *session,
                                           nas_error *err);

/* ---- Evaluations ---- */

/* All that an evaluation depends on but the number of epochs. */
typedef struct nas_evaluation_key {
  const char *network, *loss, *data, *recipe; /* canonical texts; the identity of the data */
  uint64_t seed;                              /* at most INT64_MAX */
  int numeric_version;
} nas_evaluation_key;

typedef struct nas_epoch_row {
  const char *metrics;            /* the same on every machine */
  const char *measured;           /* and what is not: seconds */
  const unsigned char *predicted; /* the class of each validation image, from 0; NULL: not kept */
  size_t predicted_count;
} nas_epoch_row;

typedef struct nas_evaluation {
  int64_t id;
  int epoch_count;
  nas_epoch_row *epochs; /* without what was predicted: nas_store_predicted */
  const char *diverged;  /* why the epoch after those has no result, or NULL */
  void *memory;          /* of all of it */
} nas_evaluation;

/* The evaluation of that key; an id of 0 where there is none. NAS_FORMAT: its rows are damaged. The
 * caller clears it; on failure there is nothing to clear. */
NAS_API nas_status nas_store_find(nas_store *store, const nas_evaluation_key *key,
                                  nas_evaluation *evaluation, nas_error *err);
NAS_API void nas_evaluation_clear(nas_evaluation *evaluation);

/* What is added to an evaluation: `count` epochs, of which the first has the number `from`, and the
 * state that training can go on with after the last. */
typedef struct nas_evaluation_part {
  int from, count;
  const nas_epoch_row *epochs;
  const char *diverged; /* why there is no further epoch, or NULL */
  const void *state;    /* NULL: not kept, nor one of 10^9 bytes, which SQLite does not take */
  size_t state_size;
} nas_evaluation_part;

/* Adds epochs to the evaluation of that key, which is made when it is not there; *id is its. It is
 * on the disk when this returns NAS_OK. Epochs that it has already, of another process, stay as
 * they are. NAS_ARGUMENT: `from` leaves a gap. NAS_STATE: they follow the one that diverged. */
NAS_API nas_status nas_store_put(nas_store *store, const nas_evaluation_key *key,
                                 const nas_evaluation_part *part, int64_t *id, nas_error *err);

/* Appends to bytes the classes that were predicted after an epoch; *found is 0 where they were not
 * kept. */
NAS_API nas_status nas_store_predicted(nas_store *store, int64_t evaluation, int epoch,
                                       nas_text *bytes, int *found, nas_error *err);

/* ---- Training states ---- */

/* The state that an evaluation's training can go on with: *epoch is the last that it has seen, 0
 * where there is none, and bytes gets the state. */
NAS_API nas_status nas_store_state(nas_store *store, int64_t evaluation, nas_text *bytes,
                                   int *epoch, nas_error *err);

/* Keeps as many states as fit into so many bytes and drops the others: the one used last is kept
 * first, then the `best` most accurate of each data set and recipe (by the last epoch that a state
 * has seen), then those used last. */
NAS_API nas_status nas_store_trim_states(nas_store *store, int64_t bytes, int64_t best,
                                         nas_error *err);

/* Keeps the states of the `best` most accurate evaluations of each data set and recipe. */
NAS_API nas_status nas_store_keep_states(nas_store *store, int64_t best, nas_error *err);

/* ---- Locks ---- */

typedef enum nas_lock_kind { NAS_LOCK_EVALUATION, NAS_LOCK_RUN } nas_lock_kind;

/* A lock that this store holds. Zero to begin. */
typedef struct nas_lock {
  int64_t place; /* 0: not held */
} nas_lock;

/* Takes the lock of an evaluation (its nas_evaluation_hash, low half) or a run (its id) without
 * waiting. `purpose` tells others what it is held for. NAS_BUSY: another one has it, or this store;
 * the message says who, since when and what for. */
NAS_API nas_status nas_store_lock(nas_store *store, nas_lock_kind kind, uint64_t number,
                                  const char *purpose, nas_lock *lock, nas_error *err);

/* Gives it back. Accepts one that is not held. */
NAS_API void nas_store_unlock(nas_store *store, nas_lock *lock);

NAS_API nas_hash nas_evaluation_hash(const nas_evaluation_key *key);

/* ---- The test split ---- */

/* Records that a study's test images are opened, for a network (a text that tells it, with its
 * weights, from others) and with an intent,
 * before they are: it is on the disk then. Appends to metrics what nas_store_end_final has recorded
 * for the same network before; nothing where it was not evaluated. NAS_STATE: they were opened for
 * another network. */
NAS_API nas_status nas_store_open_final(nas_store *store, int64_t study, const char *network,
                                        const char *intent, nas_text *metrics, nas_error *err);

/* What that evaluation gave: JSON. NAS_STATE: they were not opened. */
NAS_API nas_status nas_store_end_final(nas_store *store, int64_t study, const char *metrics,
                                       nas_error *err);

/* ---- Jobs ---- */

/* A worker that dies in a job leaves it to another, but not for ever. */
#define NAS_JOB_ATTEMPTS 3

/* Asks for an evaluation: *id is that of the job, which may be there already and counts as new
 * then; `text` is for the worker. No other job has had that id, or will. */
NAS_API nas_status nas_store_add_job(nas_store *store, const nas_evaluation_key *key,
                                     const char *text, int64_t *id, nas_error *err);

/* The next job after the one with the id `after` that has not failed: *id, 0 where there is none,
 * and its text, appended. */
NAS_API nas_status nas_store_next_job(nas_store *store, int64_t after, int64_t *id, nas_text *text,
                                      nas_error *err);

/* Counts an attempt, with the lock of the evaluation held; *may_try: whether it is worth one. The
 * job of NAS_JOB_ATTEMPTS workers that died has failed. */
NAS_API nas_status nas_store_begin_job(nas_store *store, int64_t id, int *may_try, nas_error *err);

/* The job is done, or, with a failure, none that a worker can do. */
NAS_API nas_status nas_store_end_job(nas_store *store, int64_t id, const char *failure,
                                     nas_error *err);

/* ---- Studies, runs, trials ---- */

/* The study of that text, which is made when it is not there; `name` and `source`, which tells how
 * its data and recipe are made again, may be NULL. */
NAS_API nas_status nas_store_study(nas_store *store, const char *name, const char *text,
                                   const char *source, int64_t *study, nas_error *err);

typedef struct nas_run {
  int64_t id, study;
  int64_t parent; /* 0: none */
  int64_t first;  /* the number of its first own trial */
  int64_t last;   /* of its last; first - 1 without any */
  int numeric_version;
} nas_run;

/* The runs of a study, in the order of their ids. The caller frees *runs (nas_free); NULL without
 * any. */
NAS_API nas_status nas_store_runs(nas_store *store, int64_t study, nas_run **runs, int *count,
                                  nas_error *err);

typedef struct nas_writer {
  const char *script;    /* its text; NULL: unknown */
  const char *arguments; /* NULL: none */
} nas_writer;

typedef struct nas_trial {
  int64_t number;
  const char *decisions;
  const char *origin;   /* JSON: log-probability, sample */
  const char *network;  /* hexadecimal hash; NULL: can't be built */
  const char *status;   /* "ok", "failed" */
  const char *reason;   /* NULL: none */
  int64_t evaluation;   /* 0: none */
  int epochs;           /* of it that count */
  const char *metrics;  /* as the script saw them */
  const char *measured; /* and those that no other machine has */
  const char *logged;
} nas_trial;

typedef struct nas_trials {
  nas_trial *list;
  int count;
  void *memory;
} nas_trials;

/* The run's own trials from number `from` on, at most `most`. The caller clears them; on failure
 * there is nothing to clear. NAS_FORMAT: damaged. */
NAS_API nas_status nas_store_trials(nas_store *store, int64_t run, int64_t from, int most,
                                    nas_trials *trials, nas_error *err);
NAS_API void nas_trials_clear(nas_trials *trials);

/* The source of a live reward, a file that may change while a run grows, and the number of the
 * trial from which on it is in force. */
typedef struct nas_reward_version {
  int64_t first;
  const char *file; /* as the script names it */
  const char *source;
} nas_reward_version;

/* What is added to a run at once. A part with versions is on the disk when the call returns NAS_OK;
 * of trials alone, a power cut may take the latest. */
typedef struct nas_run_part {
  const nas_trial *trials;
  int trial_count;
  const nas_reward_version
      *versions; /* one takes the place of another of the same file and trial */
  int version_count;
} nas_run_part;

/* Makes a run with its first trials, which begin with number run->first, and takes its lock:
 * run->id and run->last are set, the other fields taken. NAS_BUSY, and nothing is made: the study
 * has a run newer than `newest`, which its maker may have to follow. NAS_STATE: a version begins
 * before the run. */
NAS_API nas_status nas_store_begin_run(nas_store *store, nas_run *run, int64_t newest,
                                       const nas_writer *writer, const nas_run_part *part,
                                       nas_lock *lock, nas_error *err);

/* Records who writes a run, whose lock the caller holds, from trial `first` on. */
NAS_API nas_status nas_store_continue_run(nas_store *store, int64_t run, int64_t first,
                                          const nas_writer *writer, nas_error *err);

/* Puts trials before the first of a run, whose lock the caller holds: it leaves `parent` (0: none)
 * earlier then. NAS_STATE: their numbers don't end where the run begins, or a version begins before
 * them. */
NAS_API nas_status nas_store_prepend(nas_store *store, int64_t run, int64_t parent,
                                     const nas_run_part *part, nas_error *err);

/* Appends trials to a run whose lock the caller holds; their numbers follow its last. NAS_STATE:
 * they don't follow, or a version begins before the run. */
NAS_API nas_status nas_store_append(nas_store *store, int64_t run, const nas_run_part *part,
                                    nas_error *err);

/* Replaces what one of a run's own trials has logged. NAS_ARGUMENT: there is none of that number.
 * NAS_FORMAT: it is damaged, and stays so. */
NAS_API nas_status nas_store_log(nas_store *store, int64_t run, int64_t number, const char *logged,
                                 nas_error *err);

/* ---- Fresh seeds ---- */

/* `count` evaluation seeds from *seed on that no evaluation has; or those that were given to the
 * same script with the same arguments before, if it has not come to its end: *again. `turn` tells
 * several studies of a script apart. NAS_LIMIT: an evaluation has one of the largest seeds. */
NAS_API nas_status nas_store_begin_fresh(nas_store *store, const nas_writer *writer, int turn,
                                         int count, int64_t *seed, int *again, nas_error *err);

/* That script has come to its end: it takes others next time. */
NAS_API nas_status nas_store_end_fresh(nas_store *store, int64_t seed, nas_error *err);

/* ---- Care ---- */

/* Writes a compact copy into a new file, which has its name when all of it is on the disk. NAS_IO:
 * it is there already, which then is left alone, or can't be written. */
NAS_API nas_status nas_store_backup(nas_store *store, const char *path, nas_error *err);

/* Gives unused space back to the file system. NAS_STATE: opened for reading only. */
NAS_API nas_status nas_store_vacuum(nas_store *store, nas_error *err);

/* Looks at every page, row and reference; appends a line to report for each damage, and counts
 * them. */
NAS_API nas_status nas_store_check(nas_store *store, nas_text *report, int *damages,
                                   nas_error *err);

/* ---- Reading by SQL ---- */

typedef struct nas_rows nas_rows;

typedef enum nas_column_type {
  NAS_COLUMN_NULL,
  NAS_COLUMN_INTEGER,
  NAS_COLUMN_NUMBER,
  NAS_COLUMN_TEXT,
  NAS_COLUMN_BYTES
} nas_column_type;

typedef struct nas_column {
  nas_column_type type;
  int64_t integer;
  double number;
  const char *bytes; /* of a text, too; NUL follows */
  size_t size;
} nas_column;

/* Rows that one SELECT gives, whose parameters ?1, ?2, ... have these values (types NULL to TEXT).
 * The columns of each table are in schema.h. NAS_ARGUMENT: not one statement that only reads. The
 * caller owns *rows; on failure it is NULL. Rows outlive their store, but have nothing to say.
 * Where this store is written to before their end, they are first read to it, into memory; where
 * there is none for them, they end with that failure, and the write goes on. */
NAS_API nas_status nas_rows_open(nas_rows **rows, nas_store *store, const char *sql,
                                 const nas_column *parameters, int count, nas_error *err);
NAS_API void nas_rows_close(nas_rows **rows);

/* *more: whether there is another row, whose columns then can be read until the next call, or until
 * the store is closed. NAS_STATE: it is. NAS_MEMORY. */
NAS_API nas_status nas_rows_next(nas_rows *rows, int *more, nas_error *err);
NAS_API int nas_rows_width(const nas_rows *rows);
NAS_API const char *nas_rows_name(const nas_rows *rows, int column);
NAS_API nas_column nas_rows_column(const nas_rows *rows, int column);

#endif
