-- +goose Up

-- What FreeSWITCH is told, as tables. FreeSWITCH's own words name them; a
-- COMMENT on each column says who in FreeSWITCH reads it. A comment that
-- begins with "Tenant:" marks a column that may be handed to the tenant: its
-- type is such that FreeSWITCH never expands or executes any value of it. All
-- other columns are the operator's and may carry anything.
--
-- Read the files in order: the types of values, the tables, the rules between
-- rows, the journal of changes, and the explanations of constraints.

-- Each function keeps this search_path (SET … FROM CURRENT). So it finds what it
-- names in this schema, whatever the session's own search_path or its temporary
-- tables are.
SELECT set_config('search_path', format('%I, pg_temp', current_schema), true);

-- Refusals -------------------------------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION refuse(message text, hint text) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = message, HINT = hint;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION refuse IS 'Ends the statement with a message that says what is wrong and a hint that says what to do. Used in CHECK as: fine OR refuse(…).';

-- Names ----------------------------------------------------------------------

-- FreeSWITCH ignores case by the rules of ASCII. In a database with another
-- locale PostgreSQL may fold by others: in Turkish lower('I') is 'ı'. So all text
-- that a rule or a query compares has the collation C, in domains and columns
-- here and in variables and expressions of functions.

CREATE DOMAIN label AS text COLLATE "C" CHECK (coalesce(VALUE ~ '^([A-Za-z0-9_][A-Za-z0-9._-]{0,62}|\*)$', true) OR refuse(
    format('%L is not a name', VALUE),
    'A name has 1 to 63 letters, digits, dots, dashes and underscores, for example twilio.inbound.'));
COMMENT ON DOMAIN label IS 'A name that FreeSWITCH takes in a command, an attribute or a dial string as it stands.';

CREATE DOMAIN user_name AS text COLLATE "C" CHECK (coalesce(VALUE ~ '^[a-z0-9*#+_][a-z0-9._+*#-]{0,63}$', true) OR refuse(
    format('%L is not a user', VALUE),
    'A user has 1 to 64 lower-case letters, digits and . _ + * # - (FreeSWITCH ignores case when it looks a user up), for example 1001, +27123456789 or alice.'));
COMMENT ON DOMAIN user_name IS 'A user''s id or alias, in lower case.';

CREATE DOMAIN setting_name AS text COLLATE "C" CHECK (coalesce(VALUE ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$', true) OR refuse(
    format('%L is not the name of a parameter or variable', VALUE),
    'Letters, digits, dashes, dots and underscores, for example inbound-codec-prefs.'));
COMMENT ON DOMAIN setting_name IS 'The name of a FreeSWITCH parameter or variable.';

CREATE DOMAIN setting_value AS text COLLATE "C" CHECK (coalesce(VALUE !~ '[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]' AND octet_length(VALUE) <= 65536, true) OR refuse(
    'This value cannot be carried to FreeSWITCH',
    'XML carries no control characters but tab and newline, and a value holds at most 64 KiB.'));
COMMENT ON DOMAIN setting_value IS 'An operator''s value: any text that XML can carry. It arrives in FreeSWITCH exactly as it stands here.';

-- Numbers and people ---------------------------------------------------------

CREATE DOMAIN phone_number AS text COLLATE "C" CHECK (coalesce(VALUE ~ '^(\+[1-9][0-9]{5,14}|[0-9*#]{1,20})$', true) OR refuse(
    format('%L is not a number', VALUE),
    'Write the whole number as +27123456789 (E.164), or an extension as 1001: digits, * and #, no blanks.'));
COMMENT ON DOMAIN phone_number IS 'E.164 with its plus, or an extension of digits, * and #.';

CREATE DOMAIN caller_number AS text COLLATE "C" CHECK (coalesce(VALUE ~ '^(\+[1-9][0-9]{5,14}|[0-9*#]{1,20}|anonymous|restricted|private|unavailable|unknown)$', true) OR refuse(
    format('%L is not the number of a caller', VALUE),
    'Write the whole number as +27123456789 (E.164), an extension as 1001, or anonymous, restricted, private, unavailable or unknown. An operator may set variable effective_caller_id_number of table domain_user_variable to anything.'));
COMMENT ON DOMAIN caller_number IS 'E.164 with its plus, an extension of digits, * and #, or a word that stands for none.';

-- In the names of people the letters of any script are listed by range: what
-- counts as a letter depends on the database's locale, and in C only ASCII has
-- any. The ranges leave out blanks, control characters, and characters that
-- are seen only by what they do to their neighbours.

CREATE DOMAIN display_name AS text COLLATE "C" CHECK (coalesce(VALUE ~ '^[0-9A-Za-z('
    '\u00a1-\u00ac\u00ae-\u0600\u0606-\u061b\u061d-\u06dc\u06de-\u070e\u0710-\u088f\u0892-\u08e1\u08e3-\u167f\u1681-\u180d\u180f-\u1fff'
    '\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff01-\uffef'
        '\U00010000-\U000110bc\U000110be-\U000110cc\U000110ce-\U0001342f\U00013440-\U0001bc9f\U0001bca4-\U0001d172\U0001d17b-\U0001fffd\U00020000-\U0003fffd'
    ']([0-9A-Za-z ._+&/()'
    '\u00a1-\u00ac\u00ae-\u0600\u0606-\u061b\u061d-\u06dc\u06de-\u070e\u0710-\u088f\u0892-\u08e1\u08e3-\u167f\u1681-\u180d\u180f-\u1fff'
    '\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff01-\uffef'
        '\U00010000-\U000110bc\U000110be-\U000110cc\U000110ce-\U0001342f\U00013440-\U0001bc9f\U0001bca4-\U0001d172\U0001d17b-\U0001fffd\U00020000-\U0003fffd'
    '-]*[0-9A-Za-z.+)'
    '\u00a1-\u00ac\u00ae-\u0600\u0606-\u061b\u061d-\u06dc\u06de-\u070e\u0710-\u088f\u0892-\u08e1\u08e3-\u167f\u1681-\u180d\u180f-\u1fff'
    '\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff01-\uffef'
        '\U00010000-\U000110bc\U000110be-\U000110cc\U000110ce-\U0001342f\U00013440-\U0001bc9f\U0001bca4-\U0001d172\U0001d17b-\U0001fffd\U00020000-\U0003fffd'
    '])?$' AND length(VALUE) <= 64, true) OR refuse(
    format('%L is not a name to display', VALUE),
    'Up to 64 letters of any script, digits, blanks and . - _ + & / ( ), for example Sales (Berlin). It may come to stand in a dial string, where '' and , mean something to FreeSWITCH: write ’, or have the operator write the name into the action.'));
COMMENT ON DOMAIN display_name IS 'A name for people that may stand in an action: letters of any script, digits, blanks and . - _ + & / ( ).';

CREATE DOMAIN caller_name AS text COLLATE "C" CHECK (coalesce(VALUE ~ '^[0-9A-Za-z._+&/()'',:@!?*#'
    '\u00a1-\u00ac\u00ae-\u0600\u0606-\u061b\u061d-\u06dc\u06de-\u070e\u0710-\u088f\u0892-\u08e1\u08e3-\u167f\u1681-\u180d\u180f-\u1fff'
    '\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff01-\uffef'
        '\U00010000-\U000110bc\U000110be-\U000110cc\U000110ce-\U0001342f\U00013440-\U0001bc9f\U0001bca4-\U0001d172\U0001d17b-\U0001fffd\U00020000-\U0003fffd'
    ']([0-9A-Za-z ._+&/()'',:@!?*#'
    '\u00a1-\u00ac\u00ae-\u0600\u0606-\u061b\u061d-\u06dc\u06de-\u070e\u0710-\u088f\u0892-\u08e1\u08e3-\u167f\u1681-\u180d\u180f-\u1fff'
    '\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff01-\uffef'
        '\U00010000-\U000110bc\U000110be-\U000110cc\U000110ce-\U0001342f\U00013440-\U0001bc9f\U0001bca4-\U0001d172\U0001d17b-\U0001fffd\U00020000-\U0003fffd'
    '-]*[0-9A-Za-z._+&/()'',:@!?*#'
    '\u00a1-\u00ac\u00ae-\u0600\u0606-\u061b\u061d-\u06dc\u06de-\u070e\u0710-\u088f\u0892-\u08e1\u08e3-\u167f\u1681-\u180d\u180f-\u1fff'
    '\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff01-\uffef'
        '\U00010000-\U000110bc\U000110be-\U000110cc\U000110ce-\U0001342f\U00013440-\U0001bc9f\U0001bca4-\U0001d172\U0001d17b-\U0001fffd\U00020000-\U0003fffd'
    '-])?$' AND length(VALUE) <= 64, true) OR refuse(
    format('%L is not the name of a caller', VALUE),
    'Up to 64 characters of any script, no blank or dash first, no blank last, and none of " \ < > $ % { } [ ] | = ; ^ ~ `, which a SIP header or a dial string would act on. An operator may set variable effective_caller_id_name of table domain_user_variable to anything.'));
COMMENT ON DOMAIN caller_name IS 'A name for people as a phone shows it: what a quoted SIP display name and a channel variable carry unchanged.';

-- Hosts ----------------------------------------------------------------------

CREATE DOMAIN host_name AS text COLLATE "C" CHECK (coalesce(
        VALUE ~ '^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$' AND length(VALUE) <= 253
        OR VALUE ~ '^(\[[0-9a-f:.]{2,45}\]|[0-9a-f.]{0,4}(:[0-9a-f.]{0,15}){2,8})$', true) OR refuse(
    format('%L is not a host or domain name', VALUE),
    'Write it in lower case without a trailing dot, for example acme.example, 192.0.2.1 or 2001:db8::1.'));
COMMENT ON DOMAIN host_name IS 'A DNS name, one that Docker makes (with underscores), or an IPv4 or IPv6 address, in lower case.';

CREATE DOMAIN socket_address AS text COLLATE "C" CHECK (coalesce(VALUE ~ '^([A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]{2,45}\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?$', true) OR refuse(
    format('%L is not an address', VALUE),
    'Write host or host:port, for example pbx.acme.example:5060 or [2001:db8::1]:5060.'));
COMMENT ON DOMAIN socket_address IS 'host or host:port.';

CREATE DOMAIN port AS integer CHECK (coalesce(VALUE BETWEEN 1 AND 65535, true) OR refuse(
    format('%s is not a port', VALUE), 'A port is a number from 1 to 65535.'));
COMMENT ON DOMAIN port IS 'A TCP or UDP port.';

CREATE DOMAIN access_lists AS text COLLATE "C" CHECK (coalesce(VALUE ~ '^([A-Za-z0-9_][A-Za-z0-9._-]{0,62}|[0-9A-Fa-f.:]+/[0-9]{1,3}(,[0-9A-Fa-f.:]+/[0-9]{1,3}){0,31})( ([A-Za-z0-9_][A-Za-z0-9._-]{0,62}|[0-9A-Fa-f.:]+/[0-9]{1,3}(,[0-9A-Fa-f.:]+/[0-9]{1,3}){0,31}))*$', true) OR refuse(
    format('%L names no access lists', VALUE),
    'Write a list, such as localnet.auto, or networks with their bits, such as 10.0.0.0/8,192.168.0.0/16. Several, separated by blanks, all have to let a peer in.'));
COMMENT ON DOMAIN access_lists IS 'Names of access lists, or networks separated by commas; several of them separated by blanks.';

-- Secrets --------------------------------------------------------------------

-- FreeSWITCH writes a user out and parses it again at each lookup, and its
-- writer (switch_xml_ampencode) escapes nothing more after <!. No encoder of
-- this server can help, so <! stands in nothing that a domain or a user holds.

CREATE DOMAIN secret AS text COLLATE "C" CHECK (coalesce(VALUE ~ '^[^\x01-\x1f\x7f\ufffe\uffff]+$' AND length(VALUE) <= 256 AND VALUE !~ '\$\{|<!', true) OR refuse(
    'This secret cannot be used',
    'A secret has 1 to 256 characters, no control characters, no ${ and no <!.'));
COMMENT ON DOMAIN secret IS 'A password. Never empty: FreeSWITCH lets a user without a password in with any password.';

CREATE DOMAIN secret_reference AS text COLLATE "C" CHECK (coalesce(VALUE ~ '^(file:[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*|env:[A-Za-z0-9_]+)$' AND length(VALUE) <= 250, true) OR refuse(
    'This is not a reference to a secret',
    'Write file:twilio/password for a file below the server''s secrets_dir, or env:TWILIO for a variable of its environment whose name is secrets_env_prefix and TWILIO.'));
COMMENT ON DOMAIN secret_reference IS 'Where the server finds a secret: file:NAME below its secrets_dir, or env:NAME in its environment, behind its secrets_env_prefix.';

CREATE DOMAIN a1_hash AS text COLLATE "C" CHECK (coalesce(VALUE ~ '^([0-9a-f]{32}|[0-9a-f]{64})$', true) OR refuse(
    'This is not an a1_hash',
    'Write the lower-case hex of md5(user:domain:password), for example md5(''1001:acme.example:'' || ''the password'').'));
COMMENT ON DOMAIN a1_hash IS 'What a password is checked against: hex of MD5, or of SHA-256 where a profile takes it.';

CREATE DOMAIN pin AS text COLLATE "C" CHECK (coalesce(VALUE ~ '^[0-9]{1,32}$', true) OR refuse(
    'A voicemail password is dialled', 'Write 1 to 32 digits.'));
COMMENT ON DOMAIN pin IS 'A secret that is dialled.';

CREATE DOMAIN password_hash AS text COLLATE "C" CHECK (coalesce(VALUE ~ '^\$2[aby]\$(0[6-9]|1[0-2])\$[./A-Za-z0-9]{53}$', true) OR refuse(
    'This is not the hash of a password',
    'Write what xmlcurld hash-password prints, or crypt(''the password'', gen_salt(''bf'', 10)) of the extension pgcrypto: bcrypt of cost 6 to 12.'));
COMMENT ON DOMAIN password_hash IS 'What a password is checked against, as bcrypt writes it. Its cost is what a switch''s first request after a server''s start waits for: 10 is some 60 ms, 12 four times that. Less than 10 is for passwords that a machine made.';

-- Words of which FreeSWITCH knows a few ----------------------------------------

-- They are domains and not enums, because an enum refuses another word without
-- saying which there are.

CREATE DOMAIN acl_action AS text COLLATE "C" CHECK (coalesce(VALUE IN ('allow', 'deny'), true) OR refuse(
    format('%L is not an action of an access list', VALUE), 'Write allow or deny.'));
COMMENT ON DOMAIN acl_action IS 'What an access list does with an address: allow or deny.';

CREATE DOMAIN loglevel AS text COLLATE "C" CHECK (coalesce(VALUE IN ('console', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'), true) OR refuse(
    format('%L is not a log level', VALUE), 'Write console, alert, crit, err, warning, notice, info or debug.'));
COMMENT ON DOMAIN loglevel IS 'How much FreeSWITCH logs, from console to debug.';

CREATE DOMAIN number_form AS text COLLATE "C" CHECK (coalesce(VALUE IN ('plus', 'bare', '00'), true) OR refuse(
    format('%L is not a form of a number', VALUE),
    'Write plus for +27123456789, bare for 27123456789 and 00 for 0027123456789, in braces: ''{plus,bare,00}''.'));
COMMENT ON DOMAIN number_form IS 'How a carrier writes +27123456789: plus = +27123456789, bare = 27123456789, 00 = 0027123456789.';

CREATE DOMAIN condition_break AS text COLLATE "C" CHECK (coalesce(VALUE IN ('on-false', 'on-true', 'always', 'never'), true) OR refuse(
    format('%L is not a break of a condition', VALUE), 'Write on-false, on-true, always or never.'));
COMMENT ON DOMAIN condition_break IS 'When FreeSWITCH stops looking at an extension''s conditions.';

CREATE DOMAIN variable_direction AS text COLLATE "C" CHECK (coalesce(VALUE IN ('inbound', 'outbound', 'both'), true) OR refuse(
    format('%L is not a direction of calls', VALUE), 'Write inbound, outbound or both.'));
COMMENT ON DOMAIN variable_direction IS 'The calls of a gateway that get a variable.';

CREATE DOMAIN document_section AS text COLLATE "C" CHECK (coalesce(VALUE IN ('configuration', 'languages', 'chatplan', 'channels'), true) OR refuse(
    format('%L is not a section of documents', VALUE),
    'Write configuration, languages, chatplan or channels. Dialplan and directory have tables of their own.'));
COMMENT ON DOMAIN document_section IS 'A section of FreeSWITCH''s questions that is answered from table document.';
