-- +goose Up

-- What else the servers keep of each switch.

ALTER TABLE node_state ADD limits text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN node_state.limits    IS 'The limits that the rows set, so that those which they set no more can be taken back.';
COMMENT ON COLUMN node_state.looked_at IS 'What was committed before, by the database''s clock, has been looked at.';

COMMENT ON COLUMN node.max_sessions        IS 'max-sessions of post_load_switch.conf: calls at once. NULL = FreeSWITCH''s own 1000.';
COMMENT ON COLUMN node.sessions_per_second IS 'sessions-per-second of post_load_switch.conf: new calls in a second. NULL = FreeSWITCH''s own 30.';
COMMENT ON COLUMN node.loglevel            IS 'loglevel of post_load_switch.conf. NULL = FreeSWITCH''s own, debug.';
