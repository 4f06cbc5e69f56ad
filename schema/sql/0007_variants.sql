-- Combinations of variants: which one an arm measured, and how they compare with each other.

ALTER TABLE series ADD COLUMN variant TEXT NOT NULL DEFAULT ''; -- 'extensions=on,workers=4'
ALTER TABLE arm ADD COLUMN variant TEXT NOT NULL DEFAULT '';

-- Head in one combination against head in the spec's baseline combination; columns as verdict_row,
-- 'base' is the baseline's median and 'head' the combination's.
CREATE TABLE variant_row(
  verdict_id INTEGER NOT NULL REFERENCES verdict ON DELETE CASCADE,
  series_id INTEGER NOT NULL REFERENCES series ON DELETE CASCADE,
  baseline_id INTEGER NOT NULL REFERENCES series ON DELETE CASCADE,
  is_primary INTEGER NOT NULL CHECK(is_primary IN (0,1)),
  base REAL NOT NULL,
  head REAL NOT NULL,
  effect REAL NOT NULL,
  lo REAL NOT NULL,
  hi REAL NOT NULL,
  noise REAL,
  least_effect REAL NOT NULL,
  detectable REAL,
  rounds INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY(verdict_id, series_id)) STRICT, WITHOUT ROWID;
CREATE INDEX variant_row_series ON variant_row(series_id);
CREATE INDEX variant_row_baseline ON variant_row(baseline_id);
