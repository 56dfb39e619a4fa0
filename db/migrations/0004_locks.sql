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

-- Secrets that the rows do not hold --------------------------------------------

CREATE DOMAIN secret_reference AS text CHECK (coalesce(VALUE ~ '^(file:[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*|env:[A-Za-z0-9_]+)$' AND length(VALUE) <= 250, true) OR refuse(
    'This is not a reference to a secret',
    'Write file:twilio/password for a file below the server''s secrets_dir, or env:TWILIO for a variable of its environment whose name is secrets_env_prefix and TWILIO.'));
COMMENT ON DOMAIN secret_reference IS 'Where the server finds a secret: file:NAME below its secrets_dir, or env:NAME in its environment, behind its secrets_env_prefix.';

ALTER TABLE gateway
    ADD password_from secret_reference,
    ADD revision_key  uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD CONSTRAINT gateway_has_one_password CHECK (num_nonnulls(password, password_from) <= 1 OR refuse(
        format('Gateway %s has a password and a reference to one', name), 'Keep one of password and password_from.')),
    ADD CONSTRAINT gateway_reference_is_the_operators CHECK (password_from IS NULL OR num_nonnulls(tenant, domain) = 0 OR refuse(
        format('Gateway %s is a tenant''s, so its password cannot come from the server''s own secrets', name),
        'Write the password into the row, or make the gateway the operator''s: no tenant and no domain.')),
    DROP CONSTRAINT gateway_registers_as_somebody,
    ADD CONSTRAINT gateway_registers_as_somebody CHECK (NOT register OR coalesce(username <> '' AND coalesce(password, password_from) <> '', false) OR refuse(
        format('Gateway %s registers, so it needs a username and a password', name), 'Set both, or register to false.'));
COMMENT ON COLUMN gateway.password_from IS 'param password, from a secret of the server''s instead of this row: file:twilio/password or env:TWILIO. Never for a tenant''s gateway.';
COMMENT ON COLUMN gateway.revision_key  IS 'Made by Postgres: keys what the revision tells of a password from password_from, so that nobody can try passwords on it.';

DROP TRIGGER revise_gateway ON gateway;
CREATE TRIGGER revise_gateway BEFORE UPDATE ON gateway FOR EACH ROW
    WHEN ((OLD.name, OLD.username, OLD.password, OLD.password_from, OLD.proxy, OLD.realm, OLD.register, OLD.caller_id_in_from, OLD.profile)
        IS DISTINCT FROM (NEW.name, NEW.username, NEW.password, NEW.password_from, NEW.proxy, NEW.realm, NEW.register, NEW.caller_id_in_from, NEW.profile))
    EXECUTE FUNCTION revise_gateway();

ALTER TABLE node
    ADD event_socket_password_from secret_reference,
    ADD revision_key               uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD CONSTRAINT node_has_one_event_socket_password CHECK (num_nonnulls(event_socket_password, event_socket_password_from) <= 1 OR refuse(
        format('Node %s has an event socket password and a reference to one', name), 'Keep one of event_socket_password and event_socket_password_from.'));
COMMENT ON COLUMN node.event_socket_password_from IS 'password of event_socket.conf, from a secret of the server''s instead of this row: file:fs1/event-socket or env:EVENT_SOCKET.';
COMMENT ON COLUMN node.revision_key               IS 'Made by Postgres: keys what is kept of a password from event_socket_password_from to tell that it changed.';
