-- Who may have what measured, and what people say in comments.

-- A head of a merge request that may run, and on whose word. Nothing else of it may.
CREATE TABLE approval(
  id INTEGER PRIMARY KEY,
  repo_id INTEGER NOT NULL REFERENCES repo ON DELETE CASCADE,
  mr INTEGER NOT NULL,                      -- its number
  sha BLOB NOT NULL CHECK(length(sha) IN (20,32)),
  how TEXT NOT NULL CHECK(how IN ('branch','forge','comment','label')), -- the first two: it is no fork
  who TEXT NOT NULL,                        -- '': nobody had to
  role TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  UNIQUE(repo_id, mr, sha)) STRICT;
-- What was queued before anybody asked stays queued.
INSERT OR IGNORE INTO approval(repo_id, mr, sha, how, who, role, at_ms)
  SELECT j.repo_id, m.number, c.sha, 'branch', '', '', j.created_ms FROM job j
  JOIN merge_request m ON m.id = j.mr_id JOIN git_commit c ON c.id = j.head
  WHERE j.state IN ('queued','submitted','running','measured');

-- A comment, or a label, that may be a command. 'new' rows are the commands stage's queue.
CREATE TABLE command(
  id INTEGER PRIMARY KEY,
  repo_id INTEGER NOT NULL REFERENCES repo ON DELETE CASCADE,
  mr INTEGER NOT NULL,
  comment TEXT NOT NULL,                    -- the forge's id; 'label/<sha>/<login>' for a label
  state TEXT NOT NULL CHECK(state IN ('new','done','refused','ignored')),
  verb TEXT NOT NULL DEFAULT '',
  who TEXT NOT NULL DEFAULT '',
  role TEXT NOT NULL DEFAULT '',
  why TEXT NOT NULL DEFAULT '',             -- of a refusal
  tries INTEGER NOT NULL DEFAULT 0,
  next_ms INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  UNIQUE(repo_id, mr, comment)) STRICT;
CREATE INDEX command_new ON command(next_ms) WHERE state='new';

-- What a command wants of the job that its change leads to.
CREATE TABLE change_wish(
  change_id INTEGER PRIMARY KEY REFERENCES change ON DELETE CASCADE,
  rounds INTEGER,                           -- NULL: as the spec says
  scenario TEXT) STRICT, WITHOUT ROWID;     -- NULL: all

-- What people decided about a merge request. 'new' rows are the judge stage's queue.
CREATE TABLE mr_decision(
  id INTEGER PRIMARY KEY,
  mr_id INTEGER NOT NULL REFERENCES merge_request ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK(kind IN ('accept','ignore')),
  job_id INTEGER REFERENCES job ON DELETE CASCADE, -- accept: what was accepted
  scenario TEXT NOT NULL DEFAULT '',        -- ignore: which
  reason TEXT NOT NULL,
  who TEXT NOT NULL,
  role TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('new','applied')),
  at_ms INTEGER NOT NULL) STRICT;
CREATE INDEX mr_decision_mr ON mr_decision(mr_id, kind);
CREATE INDEX mr_decision_job ON mr_decision(job_id);
CREATE INDEX mr_decision_new ON mr_decision(id) WHERE state='new';

-- The merge request a delivery was about, so that it is asked of the forge.
ALTER TABLE hook_delivery ADD COLUMN mr INTEGER;
