-- What the runner saw beside the numbers, for people: one sentence per line, at most 64.
ALTER TABLE run ADD COLUMN notes TEXT NOT NULL DEFAULT '';
