-- Alerts that the history raises, causes in the machine, and bridges between machines.

-- A pair alert belongs to the job that compared two commits; a history alert to its change
-- points, which keep their ids, so that it stays the same one while points follow.
CREATE TABLE alert_next(                    -- one cause: a commit, a merge request, the machine
  id INTEGER PRIMARY KEY,
  repo_id INTEGER NOT NULL REFERENCES repo ON DELETE CASCADE,
  branch_id INTEGER NOT NULL REFERENCES branch ON DELETE CASCADE,
  mr_id INTEGER REFERENCES merge_request ON DELETE CASCADE,
  job_id INTEGER NOT NULL REFERENCES job ON DELETE CASCADE, -- that found it
  commit_id INTEGER NOT NULL REFERENCES git_commit,
  method TEXT NOT NULL DEFAULT 'pair' CHECK(method IN ('pair','history')),
  kind TEXT NOT NULL CHECK(kind IN ('regression','improvement','environment')),
  title TEXT NOT NULL,
  why TEXT NOT NULL DEFAULT '',             -- a sentence with the numbers used
  state TEXT NOT NULL CHECK(state IN ('confirming','open','noise')),
  created_ms INTEGER NOT NULL,
  closed_ms INTEGER) STRICT;
INSERT INTO alert_next(id, repo_id, branch_id, mr_id, job_id, commit_id, kind, title, state,
    created_ms, closed_ms)
  SELECT id, repo_id, branch_id, mr_id, job_id, commit_id, kind, title, state, created_ms, closed_ms
  FROM alert;
DROP TABLE alert;
ALTER TABLE alert_next RENAME TO alert;
CREATE UNIQUE INDEX alert_pair ON alert(job_id) WHERE method='pair';
CREATE INDEX alert_job ON alert(job_id);
CREATE INDEX alert_list ON alert(repo_id, state, created_ms);
CREATE INDEX alert_branch ON alert(branch_id);
CREATE INDEX alert_mr ON alert(mr_id);
CREATE INDEX alert_commit ON alert(commit_id);

ALTER TABLE change_point ADD COLUMN alert_id INTEGER REFERENCES alert ON DELETE SET NULL;
CREATE INDEX change_point_alert ON change_point(alert_id);

-- How a series continues one of another environment: new / old over commits measured in both.
CREATE TABLE bridge(
  series_id INTEGER NOT NULL REFERENCES series ON DELETE CASCADE,
  from_id INTEGER NOT NULL REFERENCES series ON DELETE CASCADE,
  ratio REAL NOT NULL,
  lo REAL NOT NULL,                         -- 99 % interval, or what the number allows
  hi REAL NOT NULL,
  n INTEGER NOT NULL,                       -- commits measured in both
  PRIMARY KEY(series_id, from_id)) STRICT, WITHOUT ROWID;
CREATE INDEX bridge_from ON bridge(from_id);
