-- Looks: in the middle of a job its runner hands in the rounds so far and asks whether to go on.
-- Unanswered rows are a queue of the judge stage.
CREATE TABLE look(
  job_id INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  n INTEGER NOT NULL,                       -- rounds that counted so far: which of the planned looks
  body TEXT,                                -- the rounds, as a result document; NULL once answered
  stop INTEGER CHECK(stop IN (0,1)),        -- NULL: not answered yet
  why TEXT,                                 -- of the answer, for people
  asked_ms INTEGER NOT NULL,
  answered_ms INTEGER,
  PRIMARY KEY(job_id, attempt, n),
  FOREIGN KEY(job_id, attempt) REFERENCES attempt(job_id, n) ON DELETE CASCADE) STRICT;
CREATE INDEX look_open ON look(asked_ms) WHERE stop IS NULL;

-- Why a run has so many rounds and no more; 0 planned: a runner that did not say.
ALTER TABLE run ADD COLUMN rounds_planned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN end_reason TEXT NOT NULL DEFAULT 'plan'
  CHECK(end_reason IN ('plan','look','time'));
