-- The first schema. A released migration is never edited; later changes are new files.
--
-- Names: *_ms = milliseconds since 1970 UTC; *_json = JSON text; z = compressed bytes; sha = raw
-- object id. Position (pos) is the place on a branch's first-parent chain, never a date: given
-- once, never reused; commits replaced by a force-push keep theirs with live = 0.
-- Every foreign-key column is the first column of some index or key.

-- What is watched ---------------------------------------------------------------------------
CREATE TABLE repo(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL,
  default_branch TEXT NOT NULL,             -- the first of the configured branches
  configured INTEGER NOT NULL DEFAULT 1 CHECK(configured IN (0,1)), -- 0: left the configuration
  fetched_ms INTEGER,
  fetch_error TEXT,                         -- NULL when the last look succeeded
  created_ms INTEGER NOT NULL) STRICT;

CREATE TABLE git_commit(
  id INTEGER PRIMARY KEY,
  repo_id INTEGER NOT NULL REFERENCES repo ON DELETE CASCADE,
  sha BLOB NOT NULL CHECK(length(sha) IN (20,32)),
  tree BLOB NOT NULL,
  first_parent BLOB,                        -- sha; NULL for a root commit
  author TEXT NOT NULL,
  author_ms INTEGER NOT NULL,
  subject TEXT NOT NULL,
  UNIQUE(repo_id, sha)) STRICT;

CREATE TABLE branch(
  id INTEGER PRIMARY KEY,
  repo_id INTEGER NOT NULL REFERENCES repo ON DELETE CASCADE,
  name TEXT NOT NULL,
  tip INTEGER REFERENCES git_commit,        -- NULL: deleted, or not seen yet
  UNIQUE(repo_id, name)) STRICT;
CREATE INDEX branch_tip ON branch(tip);

CREATE TABLE branch_commit(
  branch_id INTEGER NOT NULL REFERENCES branch ON DELETE CASCADE,
  pos INTEGER NOT NULL,
  commit_id INTEGER NOT NULL REFERENCES git_commit ON DELETE CASCADE,
  live INTEGER NOT NULL DEFAULT 1 CHECK(live IN (0,1)),
  PRIMARY KEY(branch_id, pos),
  UNIQUE(commit_id, branch_id)) STRICT, WITHOUT ROWID;

CREATE TABLE merge_request(
  id INTEGER PRIMARY KEY,
  repo_id INTEGER NOT NULL REFERENCES repo ON DELETE CASCADE,
  number INTEGER NOT NULL,
  target TEXT NOT NULL,                     -- branch name
  head INTEGER REFERENCES git_commit,
  merge_base INTEGER REFERENCES git_commit,
  state TEXT NOT NULL CHECK(state IN ('open','closed')),
  UNIQUE(repo_id, number)) STRICT;
CREATE INDEX merge_request_head ON merge_request(head);
CREATE INDEX merge_request_base ON merge_request(merge_base);

-- Work ----------------------------------------------------------------------------------------
CREATE TABLE spec(
  id INTEGER PRIMARY KEY,
  repo_id INTEGER NOT NULL REFERENCES repo ON DELETE CASCADE,
  hash BLOB NOT NULL,
  body TEXT NOT NULL,                       -- as spec_explain writes it: every value in force
  UNIQUE(repo_id, hash)) STRICT;

-- A ref was seen with a new head. 'new' rows are the watch stage's queue for planning.
CREATE TABLE change(
  id INTEGER PRIMARY KEY,
  repo_id INTEGER NOT NULL REFERENCES repo ON DELETE CASCADE,
  source TEXT NOT NULL CHECK(source IN ('poll','hook','compare','manual')),
  ref TEXT NOT NULL,                        -- full name, e.g. refs/heads/main, refs/pull/7/head
  head BLOB,                                -- sha; NULL: the ref was deleted
  mr_id INTEGER REFERENCES merge_request ON DELETE CASCADE,
  state TEXT NOT NULL CHECK(state IN ('new','planned','skipped')),
  why TEXT,                                 -- of a skip
  at_ms INTEGER NOT NULL) STRICT;
CREATE INDEX change_ref ON change(repo_id, ref, id);
CREATE INDEX change_mr ON change(mr_id);
CREATE INDEX change_new ON change(id) WHERE state='new';

-- What a forge's webhook asked for: a look at the remote. Ids are never used again, so that the
-- watch stage knows by the largest it has seen which are new.
CREATE TABLE hook_delivery(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repo_id INTEGER NOT NULL REFERENCES repo ON DELETE CASCADE,
  delivery TEXT NOT NULL,                   -- the forge's id; the same again is the same event
  at_ms INTEGER NOT NULL,
  UNIQUE(repo_id, delivery)) STRICT;
CREATE INDEX hook_delivery_at ON hook_delivery(at_ms);

CREATE TABLE job(
  id INTEGER PRIMARY KEY,
  repo_id INTEGER NOT NULL REFERENCES repo ON DELETE CASCADE,
  branch_id INTEGER NOT NULL REFERENCES branch ON DELETE CASCADE, -- of an mr: its target
  change_id INTEGER REFERENCES change ON DELETE SET NULL,
  mr_id INTEGER REFERENCES merge_request ON DELETE CASCADE,
  confirms INTEGER REFERENCES job ON DELETE CASCADE, -- a confirm job repeats this one
  kind TEXT NOT NULL CHECK(kind IN ('push','mr','confirm','backfill','bisect','anchor','aa')),
  base INTEGER REFERENCES git_commit,       -- NULL: chosen at dispatch; stays NULL for a root
  head INTEGER NOT NULL REFERENCES git_commit,
  spec_id INTEGER REFERENCES spec,          -- set at dispatch
  priority INTEGER NOT NULL,                -- larger goes first
  dedupe_key TEXT NOT NULL,                 -- one open job per key
  seed INTEGER NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('queued','submitted','running','measured','judged',
    'reported','failed','superseded')),
  reported INTEGER NOT NULL DEFAULT 0 CHECK(reported IN (0,1)), -- a failed job is reported too
  outcome TEXT,                             -- of the verdict, for lists; NULL before it
  failure_class TEXT CHECK(failure_class IN ('infra','config','build','start','verify','load')),
  failure_side TEXT CHECK(failure_side IN ('base','head')),
  failure TEXT,                             -- for people
  created_ms INTEGER NOT NULL,
  started_ms INTEGER,
  finished_ms INTEGER) STRICT;
CREATE INDEX job_repo ON job(repo_id, id);
CREATE INDEX job_branch ON job(branch_id, head);
CREATE INDEX job_change ON job(change_id);
CREATE INDEX job_mr ON job(mr_id, id);
CREATE INDEX job_confirms ON job(confirms);
CREATE INDEX job_base ON job(base);
CREATE INDEX job_head ON job(head);
CREATE INDEX job_spec ON job(spec_id);
CREATE UNIQUE INDEX job_once ON job(dedupe_key) WHERE state IN ('queued','submitted','running');
CREATE INDEX job_queue ON job(priority DESC, id) WHERE state='queued';
CREATE INDEX job_state ON job(state, id);
CREATE INDEX job_unreported ON job(id) WHERE state='failed' AND reported=0;

-- One try at running a job, at most three. Only the newest attempt's token may deliver.
CREATE TABLE attempt(
  job_id INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
  n INTEGER NOT NULL,
  token_hash BLOB NOT NULL UNIQUE,          -- SHA-256
  executor TEXT NOT NULL,
  executor_ref TEXT,
  state TEXT NOT NULL CHECK(state IN ('submitting','submitted','running','delivered','lost',
    'cancelled')),
  stage TEXT,                               -- what the runner said last: 'build base', 'round 3'
  rounds_done INTEGER NOT NULL DEFAULT 0,
  rounds_planned INTEGER NOT NULL DEFAULT 0,
  eta_ms INTEGER,                           -- wall time at which it should be done
  beat_ms INTEGER,
  created_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  PRIMARY KEY(job_id, n)) STRICT, WITHOUT ROWID;

-- What build, service and generator printed, in pieces, bounded per stage.
CREATE TABLE job_log(
  job_id INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  stage TEXT NOT NULL,                      -- 'build-base', 'service-head', 'runner', ...
  seq INTEGER NOT NULL,                     -- from 0; the same piece sent twice is one row
  at_ms INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY(job_id, attempt, stage, seq),
  FOREIGN KEY(job_id, attempt) REFERENCES attempt(job_id, n) ON DELETE CASCADE) STRICT;

-- Environment: identity splits series, state only marks them ---------------------------------
CREATE TABLE environment(
  id INTEGER PRIMARY KEY,
  host TEXT NOT NULL,
  identity_hash BLOB NOT NULL UNIQUE,
  identity_json TEXT NOT NULL) STRICT;

CREATE TABLE environment_state(
  id INTEGER PRIMARY KEY,
  environment_id INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
  state_hash BLOB NOT NULL,
  facts_json TEXT NOT NULL,
  first_seen_ms INTEGER NOT NULL,
  UNIQUE(environment_id, state_hash)) STRICT;

-- Measurements ---------------------------------------------------------------------------------
-- Everything that makes points comparable. endpoint '' is the whole scenario.
CREATE TABLE series(
  id INTEGER PRIMARY KEY,
  branch_id INTEGER NOT NULL REFERENCES branch ON DELETE CASCADE,
  environment_id INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
  workload_hash BLOB NOT NULL,
  scenario TEXT NOT NULL,
  endpoint TEXT NOT NULL DEFAULT '',
  metric TEXT NOT NULL,
  unit TEXT NOT NULL,
  direction INTEGER NOT NULL CHECK(direction IN (-1,1)),
  UNIQUE(branch_id, environment_id, workload_hash, scenario, endpoint, metric)) STRICT;
CREATE INDEX series_environment ON series(environment_id);

CREATE TABLE run(
  id INTEGER PRIMARY KEY,
  job_id INTEGER NOT NULL UNIQUE REFERENCES job ON DELETE CASCADE,
  attempt INTEGER NOT NULL,
  env_state_id INTEGER NOT NULL REFERENCES environment_state,
  identical INTEGER NOT NULL CHECK(identical IN (0,1)), -- same artefacts, nothing measured
  base_artifact BLOB,
  head_artifact BLOB,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,
  noise_json TEXT NOT NULL) STRICT;
CREATE INDEX run_env ON run(env_state_id);

CREATE TABLE round(
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  n INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK(kind IN ('ab','aba','single')),
  void_reason TEXT,
  UNIQUE(run_id, n)) STRICT;

CREATE TABLE arm(
  id INTEGER PRIMARY KEY,
  round_id INTEGER NOT NULL REFERENCES round ON DELETE CASCADE,
  place INTEGER NOT NULL,
  side TEXT NOT NULL CHECK(side IN ('base','head')),
  copy INTEGER NOT NULL DEFAULT 0,          -- 1: base measured the second time (A/A)
  gauges_json TEXT NOT NULL,
  UNIQUE(round_id, place)) STRICT;

CREATE TABLE sample(
  arm_id INTEGER NOT NULL REFERENCES arm ON DELETE CASCADE,
  series_id INTEGER NOT NULL REFERENCES series ON DELETE CASCADE,
  value REAL NOT NULL,
  PRIMARY KEY(arm_id, series_id)) STRICT, WITHOUT ROWID;
CREATE INDEX sample_series ON sample(series_id);

CREATE TABLE histogram(                     -- response times, as hist_pack writes them
  arm_id INTEGER NOT NULL REFERENCES arm ON DELETE CASCADE,
  scenario TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  count INTEGER NOT NULL,
  z BLOB NOT NULL,
  PRIMARY KEY(arm_id, scenario, endpoint)) STRICT;

CREATE TABLE point(                         -- one commit of a branch in one series
  series_id INTEGER NOT NULL REFERENCES series ON DELETE CASCADE,
  pos INTEGER NOT NULL,
  value REAL NOT NULL,                      -- median of its rounds
  lo REAL NOT NULL,                         -- 95 % interval of that median
  hi REAL NOT NULL,
  n INTEGER NOT NULL,                       -- rounds
  env_state_id INTEGER NOT NULL,
  PRIMARY KEY(series_id, pos)) STRICT, WITHOUT ROWID;

-- Judgement -------------------------------------------------------------------------------------
CREATE TABLE verdict(
  id INTEGER PRIMARY KEY,
  job_id INTEGER NOT NULL UNIQUE REFERENCES job ON DELETE CASCADE,
  outcome TEXT NOT NULL CHECK(outcome IN ('no_change','faster','slower','mixed','undecided',
    'identical','not_comparable')),
  confirmed INTEGER NOT NULL CHECK(confirmed IN (0,1)), -- a second job with new rounds agreed
  why TEXT NOT NULL,                        -- one sentence with the numbers used
  rules_version INTEGER NOT NULL,
  rounds INTEGER NOT NULL,                  -- that counted
  rounds_void INTEGER NOT NULL,
  created_ms INTEGER NOT NULL) STRICT;

CREATE TABLE verdict_row(
  verdict_id INTEGER NOT NULL REFERENCES verdict ON DELETE CASCADE,
  series_id INTEGER NOT NULL REFERENCES series ON DELETE CASCADE,
  is_primary INTEGER NOT NULL CHECK(is_primary IN (0,1)), -- decides the outcome; others are advisory
  base REAL NOT NULL,                       -- medians
  head REAL NOT NULL,
  effect REAL NOT NULL,                     -- relative change of the value, with its interval
  lo REAL NOT NULL,
  hi REAL NOT NULL,
  noise REAL,                               -- of identical arms (A/A); NULL: not known
  least_effect REAL NOT NULL,               -- the margin that was used
  detectable REAL,                          -- smallest effect it could have seen
  rounds INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY(verdict_id, series_id)) STRICT, WITHOUT ROWID;
CREATE INDEX verdict_row_series ON verdict_row(series_id);

CREATE TABLE change_point(
  id INTEGER PRIMARY KEY,
  series_id INTEGER NOT NULL REFERENCES series ON DELETE CASCADE,
  pos INTEGER NOT NULL,                     -- first of the new level
  after_pos INTEGER NOT NULL,               -- last measured before it
  pos_lo INTEGER NOT NULL,                  -- location interval
  pos_hi INTEGER NOT NULL,
  before REAL NOT NULL,
  after REAL NOT NULL,
  effect REAL NOT NULL,
  lo REAL NOT NULL,
  hi REAL NOT NULL,
  method TEXT NOT NULL CHECK(method IN ('pair','history')), -- paired rounds, or the series' shape
  state TEXT NOT NULL CHECK(state IN ('provisional','confirmed','retracted')),
  why TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL,
  UNIQUE(series_id, pos, method)) STRICT;

CREATE TABLE alert(                         -- one cause: a commit of a branch, or a merge request
  id INTEGER PRIMARY KEY,
  repo_id INTEGER NOT NULL REFERENCES repo ON DELETE CASCADE,
  branch_id INTEGER NOT NULL REFERENCES branch ON DELETE CASCADE,
  mr_id INTEGER REFERENCES merge_request ON DELETE CASCADE,
  job_id INTEGER NOT NULL UNIQUE REFERENCES job ON DELETE CASCADE, -- that found it
  commit_id INTEGER NOT NULL REFERENCES git_commit,
  kind TEXT NOT NULL CHECK(kind IN ('regression','improvement')),
  title TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('confirming','open','noise')),
  created_ms INTEGER NOT NULL,
  closed_ms INTEGER) STRICT;
CREATE INDEX alert_list ON alert(repo_id, state, created_ms);
CREATE INDEX alert_branch ON alert(branch_id);
CREATE INDEX alert_mr ON alert(mr_id);
CREATE INDEX alert_commit ON alert(commit_id);

-- Outward -----------------------------------------------------------------------------------------
-- slot names what is said where, e.g. 'mr/12/report'; the newest pending text of a slot replaces
-- the older one. target: 'webhook' or 'file'.
CREATE TABLE outbox(
  id INTEGER PRIMARY KEY,
  repo_id INTEGER NOT NULL REFERENCES repo ON DELETE CASCADE,
  job_id INTEGER REFERENCES job ON DELETE CASCADE,
  target TEXT NOT NULL CHECK(target IN ('webhook','file')),
  slot TEXT NOT NULL,
  message_id TEXT NOT NULL UNIQUE,          -- the receiver's key against doubles
  body TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('pending','sent','dead','replaced')),
  attempt INTEGER NOT NULL DEFAULT 0,
  next_ms INTEGER NOT NULL,
  last_status INTEGER,
  last_error TEXT,
  created_ms INTEGER NOT NULL,
  sent_ms INTEGER) STRICT;
CREATE UNIQUE INDEX outbox_slot ON outbox(repo_id, target, slot) WHERE state='pending';
CREATE INDEX outbox_due ON outbox(next_ms) WHERE state='pending';
CREATE INDEX outbox_job ON outbox(job_id);
