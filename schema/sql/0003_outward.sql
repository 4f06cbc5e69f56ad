-- Reports go to more places than a webhook and a file: comments and statuses of a forge, chat
-- and mail. 'place' tells several targets of one kind apart by their name in the configuration.
-- SQLite cannot widen a CHECK, so the table is made anew.
CREATE TABLE outbox_wider(
  id INTEGER PRIMARY KEY,
  repo_id INTEGER NOT NULL REFERENCES repo ON DELETE CASCADE,
  job_id INTEGER REFERENCES job ON DELETE CASCADE,
  target TEXT NOT NULL CHECK(target IN ('webhook','file','comment','status','slack','matrix',
    'mail')),
  place TEXT NOT NULL DEFAULT '',
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
INSERT INTO outbox_wider(id, repo_id, job_id, target, slot, message_id, body, state, attempt,
    next_ms, last_status, last_error, created_ms, sent_ms)
  SELECT id, repo_id, job_id, target, slot, message_id, body, state, attempt,
    next_ms, last_status, last_error, created_ms, sent_ms FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_wider RENAME TO outbox;
CREATE UNIQUE INDEX outbox_slot ON outbox(repo_id, target, place, slot) WHERE state='pending';
CREATE INDEX outbox_used ON outbox(repo_id, target, place, slot);
CREATE INDEX outbox_due ON outbox(next_ms) WHERE state='pending';
CREATE INDEX outbox_job ON outbox(job_id);

-- What a slot is called on the forge, so that it is edited and never written twice.
CREATE TABLE remote_object(
  repo_id INTEGER NOT NULL REFERENCES repo ON DELETE CASCADE,
  target TEXT NOT NULL CHECK(target IN ('comment','status')),
  slot TEXT NOT NULL,
  remote_id TEXT NOT NULL DEFAULT '',       -- '': not known
  asked_ms INTEGER,                         -- since when it may have been made without our knowing
  said TEXT NOT NULL DEFAULT '',            -- the last verdict told there, in short
  PRIMARY KEY(repo_id, target, slot)) STRICT, WITHOUT ROWID;

-- What has been told of a job that is not finished.
CREATE TABLE job_told(
  job_id INTEGER PRIMARY KEY REFERENCES job ON DELETE CASCADE,
  words TEXT NOT NULL,
  at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
