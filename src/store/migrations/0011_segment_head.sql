-- The first record's header of the segment that was being read, in hexadecimal: by it a journal is told from
-- another one whose gateway has the same id. '' where nothing of the segment was read.
ALTER TABLE journal_positions ADD COLUMN segment_head TEXT NOT NULL DEFAULT '';
