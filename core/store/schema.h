/* The tables of a store. A column `sum` is row_sum of all others in their order; `bytes` come in as
 * row_sum(bytes), and when a state was used does not count. */
#ifndef NAS_STORE_SCHEMA_H
#define NAS_STORE_SCHEMA_H

#define NAS_SCHEMA_APPLICATION 0x4c4e4153 /* "LNAS", PRAGMA application_id */
#define NAS_SCHEMA_VERSION     3          /* PRAGMA user_version */

/* Each takes a store from the version of its index to the next one. */
static const char *const nas_schema_steps[NAS_SCHEMA_VERSION] = {
    /* What is long and comes often: once. */
    "CREATE TABLE text ("
    "  id INTEGER PRIMARY KEY,"
    "  hash BLOB NOT NULL UNIQUE," /* XXH3-128 */
    "  body TEXT NOT NULL"
    ") STRICT;"

    "CREATE TABLE session ("
    "  id INTEGER PRIMARY KEY,"
    "  started TEXT NOT NULL," /* UTC */
    "  program TEXT,"
    "  engine TEXT NOT NULL,"
    "  numeric_version INTEGER NOT NULL,"
    "  isa TEXT,"
    "  threads INTEGER NOT NULL,"
    "  host TEXT NOT NULL,"
    "  process INTEGER NOT NULL,"
    "  sum INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE evaluation ("
    "  id INTEGER PRIMARY KEY,"
    "  key BLOB NOT NULL UNIQUE," /* XXH3-128 of what follows */
    "  network INTEGER NOT NULL REFERENCES text,"
    "  loss INTEGER NOT NULL REFERENCES text,"
    "  data INTEGER NOT NULL REFERENCES text,"
    "  recipe INTEGER NOT NULL REFERENCES text,"
    "  seed INTEGER NOT NULL,"
    "  numeric_version INTEGER NOT NULL,"
    "  epochs INTEGER NOT NULL,"
    "  diverged TEXT,"
    "  sum INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE epoch ("
    "  evaluation INTEGER NOT NULL REFERENCES evaluation,"
    "  number INTEGER NOT NULL,"
    "  metrics TEXT NOT NULL,"  /* JSON */
    "  measured TEXT NOT NULL," /* JSON */
    "  session INTEGER REFERENCES session,"
    "  sum INTEGER NOT NULL,"
    "  PRIMARY KEY (evaluation, number)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE prediction ("
    "  evaluation INTEGER NOT NULL REFERENCES evaluation,"
    "  epoch INTEGER NOT NULL,"
    "  sum INTEGER NOT NULL,"
    "  bytes BLOB NOT NULL," /* the class of each validation image, from 0 */
    "  PRIMARY KEY (evaluation, epoch)"
    ") STRICT;"

    "CREATE TABLE state ("
    "  evaluation INTEGER PRIMARY KEY REFERENCES evaluation,"
    "  epoch INTEGER NOT NULL,"
    "  used INTEGER NOT NULL," /* the larger the later */
    "  size INTEGER NOT NULL,"
    "  sum INTEGER NOT NULL,"
    "  bytes BLOB NOT NULL" /* safetensors */
    ") STRICT;"

    "CREATE TABLE study ("
    "  id INTEGER PRIMARY KEY,"
    "  key BLOB NOT NULL UNIQUE," /* XXH3-128 of text */
    "  name TEXT,"
    "  text TEXT NOT NULL,"
    "  source TEXT," /* JSON: how data and recipe are made again */
    "  sum INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE run ("
    "  id INTEGER PRIMARY KEY,"
    "  study INTEGER NOT NULL REFERENCES study,"
    "  parent INTEGER REFERENCES run,"
    "  first INTEGER NOT NULL," /* number of its first own trial */
    "  numeric_version INTEGER NOT NULL,"
    "  session INTEGER REFERENCES session,"
    "  script INTEGER REFERENCES text,"
    "  arguments TEXT,"
    "  sum INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX run_of_study ON run (study);"

    "CREATE TABLE trial ("
    "  run INTEGER NOT NULL REFERENCES run,"
    "  number INTEGER NOT NULL,"
    "  decisions TEXT NOT NULL,"
    "  origin TEXT NOT NULL," /* JSON */
    "  network TEXT,"
    "  status TEXT NOT NULL,"
    "  reason TEXT,"
    "  evaluation INTEGER REFERENCES evaluation,"
    "  epochs INTEGER NOT NULL,"
    "  metrics TEXT NOT NULL,"  /* JSON */
    "  measured TEXT NOT NULL," /* JSON */
    "  logged TEXT NOT NULL,"   /* JSON */
    "  sum INTEGER NOT NULL,"
    "  PRIMARY KEY (run, number)"
    ") STRICT, WITHOUT ROWID;"

    /* Whose test images were opened, for which network. */
    "CREATE TABLE final ("
    "  study INTEGER PRIMARY KEY REFERENCES study,"
    "  network INTEGER NOT NULL REFERENCES text,"
    "  intent TEXT NOT NULL,"
    "  opened TEXT NOT NULL," /* UTC: before anything was read */
    "  session INTEGER REFERENCES session,"
    "  metrics TEXT," /* JSON; NULL until it was evaluated */
    "  sum INTEGER NOT NULL"
    ") STRICT;"

    /* What workers shall train. */
    "CREATE TABLE job ("
    "  id INTEGER PRIMARY KEY,"
    "  key BLOB NOT NULL UNIQUE," /* of the evaluation */
    "  text TEXT NOT NULL,"       /* JSON: what a worker needs */
    "  attempts INTEGER NOT NULL,"
    "  failure TEXT" /* why no worker can do it */
    ") STRICT;"

    /* Who holds a lock: for messages. A row of an owner who is gone means nothing. */
    "CREATE TABLE owner ("
    "  lock INTEGER PRIMARY KEY,"
    "  process INTEGER NOT NULL,"
    "  host TEXT NOT NULL,"
    "  since TEXT NOT NULL,"
    "  purpose TEXT NOT NULL"
    ") STRICT;",

    /* From which trial on a run was written by another script, or with other arguments, than
     * before.
     */
    "CREATE TABLE continuation ("
    "  run INTEGER NOT NULL REFERENCES run,"
    "  first INTEGER NOT NULL,"
    "  session INTEGER REFERENCES session,"
    "  script INTEGER REFERENCES text,"
    "  arguments TEXT,"
    "  sum INTEGER NOT NULL,"
    "  PRIMARY KEY (run, first)"
    ") STRICT, WITHOUT ROWID;"

    /* Evaluation seeds `seed` .. seed + count - 1, which a script took because nobody had. */
    "CREATE TABLE fresh ("
    "  seed INTEGER PRIMARY KEY,"
    "  count INTEGER NOT NULL,"
    "  script INTEGER REFERENCES text,"
    "  arguments TEXT,"
    "  turn INTEGER NOT NULL,"  /* 1 for the first of its studies that took any, 2, ... */
    "  ended INTEGER NOT NULL," /* 1: the script came to its end */
    "  sum INTEGER NOT NULL"
    ") STRICT;",

    /* The source of a live reward from a trial on, until the file's next version. */
    "CREATE TABLE reward_version ("
    "  run INTEGER NOT NULL REFERENCES run,"
    "  file TEXT NOT NULL," /* as the script names it */
    "  first INTEGER NOT NULL,"
    "  source INTEGER NOT NULL REFERENCES text,"
    "  session INTEGER REFERENCES session,"
    "  sum INTEGER NOT NULL,"
    "  PRIMARY KEY (run, file, first)"
    ") STRICT, WITHOUT ROWID;",
};

#endif
