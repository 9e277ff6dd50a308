-- Images that the call was answered with, and their pixels.
ALTER TABLE calls ADD COLUMN images BIGINT NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN pixels BIGINT NOT NULL DEFAULT 0;
