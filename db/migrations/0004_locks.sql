-- +goose Up

-- Who is let in: what each node proves itself with.

CREATE DOMAIN password_hash AS text CHECK (coalesce(VALUE ~ '^\$2[aby]\$(0[6-9]|1[0-2])\$[./A-Za-z0-9]{53}$', true) OR refuse(
    'This is not the hash of a password',
    'Write what xmlcurld hash-password prints, or crypt(''the password'', gen_salt(''bf'', 10)) of the extension pgcrypto: bcrypt of cost 6 to 12.'));
COMMENT ON DOMAIN password_hash IS 'What a password is checked against, as bcrypt writes it. Its cost is what a switch''s first request after a server''s start waits for: 10 is some 60 ms, 12 four times that. Less than 10 is for passwords that a machine made.';

CREATE TABLE node_credential (
    username      label         PRIMARY KEY CONSTRAINT node_credential_is_somebodys CHECK (username <> '*' OR refuse(
        '* is not the name of a user', 'Choose a name such as fs1.')),
    node          label         NOT NULL REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE
        CONSTRAINT node_credential_is_of_one_node CHECK (node <> '*' OR refuse(
        'These are the credentials of one node', 'Name the node. What all nodes may send is the server''s setting credentials.')),
    password_hash password_hash NOT NULL,
    enabled       boolean       NOT NULL DEFAULT true
);
CREATE INDEX node_credential_node ON node_credential (node);
COMMENT ON TABLE  node_credential               IS 'What a node sends as gateway-credentials of mod_xml_curl, user:password. It gets its own documents then, whatever it says that it is. A node may have several, so that a new one can be in force before the old one goes.';
COMMENT ON COLUMN node_credential.username      IS 'The user.';
COMMENT ON COLUMN node_credential.node          IS 'The node that it is.';
COMMENT ON COLUMN node_credential.password_hash IS 'The password''s hash, never the password.';
COMMENT ON COLUMN node_credential.enabled       IS 'false: who sends it is refused. In force within a second, as everything here.';

CREATE TRIGGER tell_servers AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON node_credential
    FOR EACH STATEMENT EXECUTE FUNCTION tell_servers('credential');
