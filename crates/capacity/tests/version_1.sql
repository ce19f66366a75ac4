-- The tables as version 1 made them. They are what a store that is migrated begins with, so this file never changes.
CREATE TABLE pool (revision BIGINT NOT NULL, event BIGINT NOT NULL);
INSERT INTO pool (revision, event) VALUES (0, 0);
CREATE TABLE reservation ( id TEXT PRIMARY KEY, owner TEXT NOT NULL, series TEXT, state TEXT NOT NULL, from_ms BIGINT NOT NULL, until_ms BIGINT NOT NULL, is_open BIGINT NOT NULL, document TEXT NOT NULL);
CREATE INDEX reservation_open ON reservation (is_open);
CREATE INDEX reservation_until ON reservation (until_ms);
CREATE INDEX reservation_from ON reservation (from_ms, id);
CREATE TABLE event (number BIGINT PRIMARY KEY, at_ms BIGINT NOT NULL, document TEXT NOT NULL);
CREATE TABLE answer ( owner TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, status BIGINT NOT NULL, document TEXT NOT NULL, at_ms BIGINT NOT NULL, PRIMARY KEY (owner, key));
CREATE INDEX answer_at ON answer (at_ms);
CREATE TABLE observation ( pod TEXT NOT NULL, at_ms BIGINT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (pod, at_ms));
CREATE INDEX observation_at ON observation (at_ms);
CREATE TABLE kept (name TEXT PRIMARY KEY, at_ms BIGINT NOT NULL, document TEXT NOT NULL);
CREATE TABLE audit (at_ms BIGINT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL);
CREATE INDEX audit_at ON audit (at_ms);
