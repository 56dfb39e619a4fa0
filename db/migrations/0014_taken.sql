-- +goose Up

COMMENT ON TABLE  node_fetch      IS 'Written by xmlcurld: the documents that each switch fetched last, and which it runs with. What cannot be read back from a switch is judged by this.';
COMMENT ON COLUMN node_fetch.part IS 'What of the document takes effect together, for example external/settings. Of one that is stored as XML: empty, its last fetch; taken, what its module was loaded with; one, the last question about one thing in it, such as one queue.';
