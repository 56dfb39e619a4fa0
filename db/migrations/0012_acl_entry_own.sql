-- +goose Up

-- Most entries are for all nodes. Which nodes have some of their own is asked
-- at each change of a list, and must not take a look at ten thousand.
CREATE INDEX acl_entry_own ON acl_entry (node) WHERE node <> '*';
