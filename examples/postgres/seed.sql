-- What every arm finds: made once, and as good as new for each of them.
CREATE TABLE item(id integer PRIMARY KEY, name text NOT NULL, stock integer NOT NULL);
INSERT INTO item SELECT i, 'item ' || i, i % 50 FROM generate_series(1, 1000) AS i;
