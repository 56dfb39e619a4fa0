-- +goose Up

-- Names as people and programs make them. What is refused is what FreeSWITCH,
-- a SIP header or a dial string would act on, and nothing else.

-- The characters of any script are named by range: what counts as a letter
-- depends on the database's locale, and in C only ASCII has any. Left out are
-- blanks, controls, and what is seen only by what it does to its neighbours.
-- +goose StatementBegin
DO $$
DECLARE
    script CONSTANT text := '\u00a1-\u00ac\u00ae-\u0600\u0606-\u061b\u061d-\u06dc\u06de-\u070e\u0710-\u088f\u0892-\u08e1\u08e3-\u167f\u1681-\u180d\u180f-\u1fff'
        '\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff01-\uffef'
        '\U00010000-\U000110bc\U000110be-\U000110cc\U000110ce-\U0001342f\U00013440-\U0001bc9f\U0001bca4-\U0001d172\U0001d17b-\U0001fffd\U00020000-\U0003fffd';
BEGIN
    ALTER DOMAIN display_name DROP CONSTRAINT display_name_check;
    EXECUTE format($sql$ALTER DOMAIN display_name ADD CONSTRAINT display_name_check CHECK (
        coalesce(VALUE ~ %L AND length(VALUE) <= 64, true) OR refuse(
        format('%%L is not a name to display', VALUE),
        'Up to 64 letters of any script, digits, blanks and . - _ + & / ( ), for example Sales (Berlin). It may come to stand in a dial string, where '' and , mean something to FreeSWITCH: write ’, or have the operator write the name into the action.'))$sql$,
        '^[0-9A-Za-z(' || script || ']([0-9A-Za-z ._+&/()' || script || '-]*[0-9A-Za-z.+)' || script || '])?$');
    EXECUTE format($sql$CREATE DOMAIN caller_name AS text CHECK (
        coalesce(VALUE ~ %L AND length(VALUE) <= 64, true) OR refuse(
        format('%%L is not the name of a caller', VALUE),
        'Up to 64 characters of any script, no blank or dash first, no blank last, and none of " \ < > $ %% { } [ ] | = ; ^ ~ `, which a SIP header or a dial string would act on. An operator may set variable effective_caller_id_name of table domain_user_variable to anything.'))$sql$,
        '^[0-9A-Za-z._+&/()'',:@!?*#' || script || ']([0-9A-Za-z ._+&/()'',:@!?*#' || script || '-]*[0-9A-Za-z._+&/()'',:@!?*#' || script || '-])?$');
END $$;
-- +goose StatementEnd
COMMENT ON DOMAIN display_name IS 'A name for people that may stand in an action: letters of any script, digits, blanks and . - _ + & / ( ).';
COMMENT ON DOMAIN caller_name  IS 'A name for people as a phone shows it: what a quoted SIP display name and a channel variable carry unchanged.';

CREATE DOMAIN caller_number AS text CHECK (coalesce(VALUE ~ '^(\+[1-9][0-9]{5,14}|[0-9*#]{1,20}|anonymous|restricted|private|unavailable|unknown)$', true) OR refuse(
    format('%L is not the number of a caller', VALUE),
    'Write the whole number as +27123456789 (E.164), an extension as 1001, or anonymous, restricted, private, unavailable or unknown. An operator may set variable effective_caller_id_number of table domain_user_variable to anything.'));
COMMENT ON DOMAIN caller_number IS 'E.164 with its plus, an extension of digits, * and #, or a word that stands for none.';

ALTER TABLE domain_user ALTER caller_id_name TYPE caller_name, ALTER caller_id_number TYPE caller_number;
COMMENT ON COLUMN domain_user.caller_id_name   IS 'Tenant: variable effective_caller_id_name, unless domain_user_variable has one.';
COMMENT ON COLUMN domain_user.caller_id_number IS 'Tenant: variable effective_caller_id_number, unless domain_user_variable has one.';
ALTER TABLE domain_user_variable DROP CONSTRAINT domain_user_variable_has_a_column;
COMMENT ON TABLE domain_user_variable IS 'Variables of a user (directory variables): channel variables of its calls. user_context here overrides the domain''s context, effective_caller_id_name and effective_caller_id_number the columns of domain_user.';

-- Docker makes host names with underscores, and a profile of IPv6 takes its address for its domain.
ALTER DOMAIN host_name DROP CONSTRAINT host_name_check;
ALTER DOMAIN host_name ADD CONSTRAINT host_name_check CHECK (coalesce(
        VALUE ~ '^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$' AND length(VALUE) <= 253
        OR VALUE ~ '^(\[[0-9a-f:.]{2,45}\]|[0-9a-f.]{0,4}(:[0-9a-f.]{0,15}){2,8})$', true) OR refuse(
    format('%L is not a host or domain name', VALUE),
    'Write it in lower case without a trailing dot, for example acme.example, 192.0.2.1 or 2001:db8::1.'));
COMMENT ON DOMAIN host_name IS 'A DNS name, one that Docker makes (with underscores), or an IPv4 or IPv6 address, in lower case.';
ALTER DOMAIN socket_address DROP CONSTRAINT socket_address_check;
ALTER DOMAIN socket_address ADD CONSTRAINT socket_address_check CHECK (coalesce(VALUE ~ '^([A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]{2,45}\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?$', true) OR refuse(
    format('%L is not an address', VALUE),
    'Write host or host:port, for example pbx.acme.example:5060 or [2001:db8::1]:5060.'));
ALTER DOMAIN user_name DROP CONSTRAINT user_name_check;
ALTER DOMAIN user_name ADD CONSTRAINT user_name_check CHECK (coalesce(VALUE ~ '^[a-z0-9*#+_][a-z0-9._+*#-]{0,63}$', true) OR refuse(
    format('%L is not a user', VALUE),
    'A user has 1 to 64 lower-case letters, digits and . _ + * # - (FreeSWITCH ignores case when it looks a user up), for example 1001, +27123456789 or alice.'));
