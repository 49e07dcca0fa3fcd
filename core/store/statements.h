/* The SQL of a store: X(name, text). Parameters are bound in the order of their numbers. */
#ifndef NAS_STORE_STATEMENTS_H
#define NAS_STORE_STATEMENTS_H

/* States with their places among those of the same data and recipe: the most accurate first. */
#define NAS_STATES_RANKED                                                                          \
  "(SELECT state.evaluation, size, used, max(used) OVER () AS max_used, row_number() OVER "        \
  "(PARTITION BY data, recipe ORDER BY metrics->>'accuracy' DESC, metrics->>'loss', used DESC) "   \
  "AS place FROM state JOIN evaluation ON evaluation.id = state.evaluation "                       \
  "LEFT JOIN epoch ON epoch.evaluation = state.evaluation AND epoch.number = state.epoch)"

#define NAS_STATEMENT_MAP(X)                                                                       \
  X(BEGIN, "BEGIN IMMEDIATE")                                                                      \
  X(COMMIT, "COMMIT")                                                                              \
  X(ROLLBACK, "ROLLBACK")                                                                          \
                                                                                                   \
  X(TEXT_FIND, "SELECT id, body FROM text WHERE hash = ?1")                                        \
  X(TEXT_ADD, "INSERT INTO text (hash, body) VALUES (?1, ?2)")                                     \
                                                                                                   \
  X(SESSION_ADD, "INSERT INTO session SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "                 \
                 "row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                                    \
  X(SESSION_NEXT, "SELECT ifnull(max(id), 0) + 1 FROM session")                                    \
                                                                                                   \
  X(EVALUATION_FIND,                                                                               \
    "SELECT e.id, e.epochs, e.diverged, n.body, l.body, d.body, r.body, e.seed, "                  \
    "e.numeric_version, e.sum = row_sum(e.id, e.key, e.network, e.loss, e.data, e.recipe, "        \
    "e.seed, e.numeric_version, e.epochs, e.diverged) "                                            \
    "FROM evaluation e JOIN text n ON n.id = e.network JOIN text l ON l.id = e.loss "              \
    "JOIN text d ON d.id = e.data JOIN text r ON r.id = e.recipe WHERE e.key = ?1")                \
  X(EVALUATION_ADD, "INSERT INTO evaluation VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, NULL, "     \
                    "row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, NULL))")                           \
  X(EVALUATION_NEXT, "SELECT ifnull(max(id), 0) + 1 FROM evaluation")                              \
  X(EVALUATION_EXTEND,                                                                             \
    "UPDATE evaluation SET epochs = ?2, diverged = ?3, sum = row_sum(id, key, network, loss, "     \
    "data, recipe, seed, numeric_version, ?2, ?3) WHERE id = ?1")                                  \
                                                                                                   \
  X(EPOCH_ADD, "INSERT INTO epoch VALUES (?1, ?2, ?3, ?4, ?5, row_sum(?1, ?2, ?3, ?4, ?5))")       \
  X(EPOCH_LIST, "SELECT metrics, measured, "                                                       \
                "sum = row_sum(evaluation, number, metrics, measured, session), number "           \
                "FROM epoch WHERE evaluation = ?1 AND number <= ?2 ORDER BY number")               \
                                                                                                   \
  X(PREDICTION_ADD, "INSERT INTO prediction VALUES (?1, ?2, row_sum(?1, ?2, row_sum(?3)), ?3)")    \
  X(PREDICTION_FIND,                                                                               \
    "SELECT bytes, sum = row_sum(evaluation, epoch, row_sum(bytes)) FROM prediction "              \
    "WHERE evaluation = ?1 AND epoch = ?2")                                                        \
                                                                                                   \
  X(STATE_PUT,                                                                                     \
    "INSERT OR REPLACE INTO state SELECT ?1, ?2, ifnull(max(used), 0) + 1, length(?3), "           \
    "row_sum(?1, ?2, length(?3), row_sum(?3)), ?3 FROM state")                                     \
  X(STATE_FIND,                                                                                    \
    "SELECT epoch, bytes, sum = row_sum(evaluation, epoch, size, row_sum(bytes)) FROM state "      \
    "WHERE evaluation = ?1")                                                                       \
  X(STATE_TOUCH,                                                                                   \
    "UPDATE state SET used = (SELECT max(used) FROM state) + 1 WHERE evaluation = ?1")             \
  X(STATE_TRIM,                                                                                    \
    "DELETE FROM state WHERE evaluation IN (SELECT evaluation FROM (SELECT evaluation, "           \
    "sum(size) OVER (ORDER BY used = max_used DESC, place <= ?2 DESC, used DESC) AS upto "         \
    "FROM " NAS_STATES_RANKED ") WHERE upto > ?1)")                                                \
  X(STATE_KEEP, "DELETE FROM state WHERE evaluation IN "                                           \
                "(SELECT evaluation FROM " NAS_STATES_RANKED " WHERE place > ?1)")                 \
                                                                                                   \
  X(FINAL_FIND,                                                                                    \
    "SELECT network, metrics, sum = row_sum(study, network, intent, opened, session, metrics) "    \
    "FROM final WHERE study = ?1")                                                                 \
  X(FINAL_OPEN,                                                                                    \
    "INSERT INTO final VALUES (?1, ?2, ?3, ?4, ?5, NULL, row_sum(?1, ?2, ?3, ?4, ?5, NULL))")      \
  X(FINAL_END, "UPDATE final SET metrics = ?2, "                                                   \
               "sum = row_sum(study, network, intent, opened, session, ?2) WHERE study = ?1")      \
                                                                                                   \
  X(JOB_ADD,                                                                                       \
    "INSERT INTO job (id, key, text, attempts) SELECT max(?3, ifnull(max(id), 0) + 1), ?1, ?2, 0 " \
    "FROM job WHERE true ON CONFLICT (key) DO UPDATE SET text = ?2, attempts = 0, failure = NULL") \
  X(JOB_FIND, "SELECT id FROM job WHERE key = ?1")                                                 \
  X(JOB_NEXT, "SELECT id, text FROM job WHERE id > ?1 AND failure IS NULL ORDER BY id LIMIT 1")    \
  X(JOB_ATTEMPTS, "SELECT attempts FROM job WHERE id = ?1")                                        \
  X(JOB_BEGIN, "UPDATE job SET attempts = attempts + 1 WHERE id = ?1")                             \
  X(JOB_END, "DELETE FROM job WHERE id = ?1")                                                      \
  X(JOB_FAIL, "UPDATE job SET failure = ?2 WHERE id = ?1")                                         \
                                                                                                   \
  X(OWNER_SET, "INSERT OR REPLACE INTO owner VALUES (?1, ?2, ?3, ?4, ?5)")                         \
  X(OWNER_FIND, "SELECT process, host, since, purpose FROM owner WHERE lock = ?1")                 \
                                                                                                   \
  X(STUDY_FIND,                                                                                    \
    "SELECT id, text, sum = row_sum(id, key, name, text, source) FROM study WHERE key = ?1")       \
  X(STUDY_ADD, "INSERT INTO study VALUES (?1, ?2, ?3, ?4, ?5, row_sum(?1, ?2, ?3, ?4, ?5))")       \
  X(STUDY_NEXT, "SELECT ifnull(max(id), 0) + 1 FROM study")                                        \
                                                                                                   \
  X(RUN_LIST,                                                                                      \
    "SELECT id, study, parent, first, numeric_version, (SELECT max(number) FROM trial "            \
    "WHERE trial.run = run.id), sum = row_sum(id, study, parent, first, numeric_version, "         \
    "session, script, arguments) FROM run WHERE study = ?1 ORDER BY id")                           \
  X(RUN_NEXT, "SELECT ifnull(max(id), 0) + 1 FROM run")                                            \
  X(RUN_ADD, "INSERT INTO run VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "                            \
             "row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8))")                                           \
  X(RUN_NEWEST, "SELECT ifnull(max(id), 0) FROM run WHERE study = ?1")                             \
  X(RUN_FIRST, "SELECT first FROM run WHERE id = ?1")                                              \
  X(RUN_EARLIER, "UPDATE run SET parent = ?2, first = ?3, sum = row_sum(id, study, ?2, ?3, "       \
                 "numeric_version, session, script, arguments) WHERE id = ?1")                     \
  X(RUN_WRITER, "SELECT script IS ?2 AND arguments IS ?3 FROM (SELECT first, script, arguments "   \
                "FROM run WHERE id = ?1 UNION ALL SELECT first, script, arguments FROM "           \
                "continuation WHERE run = ?1) ORDER BY first DESC LIMIT 1")                        \
  X(RUN_CONTINUE, "INSERT OR REPLACE INTO continuation VALUES (?1, ?2, ?3, ?4, ?5, "               \
                  "row_sum(?1, ?2, ?3, ?4, ?5))")                                                  \
  X(RUN_LAST, "SELECT ifnull((SELECT max(number) FROM trial WHERE run = id), first - 1) FROM run " \
              "WHERE id = ?1")                                                                     \
                                                                                                   \
  X(FRESH_OPEN, "SELECT seed FROM fresh WHERE script IS ?1 AND arguments IS ?2 AND turn = ?3 "     \
                "AND count = ?4 AND NOT ended ORDER BY seed DESC LIMIT 1")                         \
  X(FRESH_NEXT, "SELECT max(ifnull((SELECT max(seed) FROM evaluation), -1), "                      \
                "ifnull((SELECT max(seed + count - 1) FROM fresh), -1)) + 1")                      \
  X(FRESH_ADD, "INSERT INTO fresh VALUES (?1, ?2, ?3, ?4, ?5, 0, row_sum(?1, ?2, ?3, ?4, ?5, 0))") \
  X(FRESH_END,                                                                                     \
    "UPDATE fresh SET ended = 1, sum = row_sum(seed, count, script, arguments, turn, 1) "          \
    "WHERE seed = ?1")                                                                             \
                                                                                                   \
  X(TRIAL_ADD, "INSERT INTO trial VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "     \
               "row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12))")                      \
  X(TRIAL_LOG,                                                                                     \
    "UPDATE trial SET logged = ?3, sum = row_sum(run, number, decisions, origin, network, "        \
    "status, reason, evaluation, epochs, metrics, measured, ?3) WHERE run = ?1 AND number = ?2 "   \
    "AND sum = row_sum(run, number, decisions, origin, network, status, reason, evaluation, "      \
    "epochs, metrics, measured, logged)")                                                          \
  X(TRIAL_COUNT, "SELECT count(*) FROM trial WHERE run = ?1 AND number = ?2")                      \
  X(VERSION_ADD, "INSERT OR REPLACE INTO reward_version VALUES (?1, ?2, ?3, ?4, ?5, "              \
                 "row_sum(?1, ?2, ?3, ?4, ?5))")                                                   \
  X(TRIAL_LIST,                                                                                    \
    "SELECT number, decisions, origin, network, status, reason, evaluation, epochs, metrics, "     \
    "measured, logged, sum = row_sum(run, number, decisions, origin, network, status, reason, "    \
    "evaluation, epochs, metrics, measured, logged) "                                              \
    "FROM trial WHERE run = ?1 AND number >= ?2 ORDER BY number LIMIT ?3")

typedef enum nas_statement {
#define X(name, text) NAS_SQL_##name,
  NAS_STATEMENT_MAP(X)
#undef X
      NAS_STATEMENTS
} nas_statement;

#endif
