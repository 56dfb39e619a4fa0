package schema_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
)

// strange are sessions in which the schema's names stand for nothing, or for something else: what a hostile role can make.
var strange = map[string]string{
	"no schema": `SET search_path = pg_catalog`,
	"temporary tables": `
		CREATE TEMP TABLE tenant AS SELECT * FROM public.tenant;
		CREATE TEMP TABLE context AS SELECT name, 'beta' AS tenant FROM public.context;
		CREATE TEMP TABLE domain AS SELECT name, 'beta' AS tenant FROM public.domain;
		CREATE TEMP TABLE domain_user AS SELECT * FROM public.domain_user LIMIT 0;
		CREATE TEMP TABLE extension AS SELECT name, NULL::text AS tenant FROM public.extension;
		CREATE TEMP TABLE number AS SELECT * FROM public.number LIMIT 0;
		CREATE TEMP TABLE action AS SELECT * FROM public.action LIMIT 0;
		CREATE TEMP TABLE condition AS SELECT * FROM public.condition LIMIT 0`,
	"functions": `
		CREATE SCHEMA evil;
		CREATE FUNCTION evil.refuse(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
		CREATE FUNCTION evil.lower(text) RETURNS text LANGUAGE sql AS 'SELECT ''''';
		CREATE FUNCTION evil.lower(public.setting_value) RETURNS text LANGUAGE sql AS 'SELECT ''''';
		CREATE FUNCTION evil.format(text, VARIADIC "any") RETURNS text LANGUAGE internal AS 'text_format';
		CREATE FUNCTION evil.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''evil''; END';
		CREATE FUNCTION evil.regexp_replace(text, text, text) RETURNS text LANGUAGE sql AS 'SELECT ''''';
		CREATE FUNCTION evil.xpath_exists(text, xml) RETURNS boolean LANGUAGE sql AS 'SELECT false';
		CREATE FUNCTION evil.equal(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
		CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.equal);
		CREATE OPERATOR evil.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.equal);
		SET search_path = evil, pg_catalog, public`,
}

// Whatever a session looks through first, an edit does what it does elsewhere, and what is refused is refused.
func TestSearchPathChangesNothing(t *testing.T) {
	t.Parallel()
	for name, statements := range strange {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := dbtest.DemoURL(t)
			conn, store := dbtest.Connect(t, url), dbtest.Open(t, url)
			if _, err := conn.Exec(t.Context(), statements); err != nil {
				t.Fatal(err)
			}
			for _, tc := range refusedAnywhere {
				if fault := said(t, conn, tc); fault == nil || fault.Code != "23514" || fault.Hint == "" {
					t.Errorf("%s: %v", tc, fault)
				}
			}
			for _, edit := range editsAnywhere {
				if _, err := conn.Exec(t.Context(), edit); err != nil {
					t.Errorf("%s: %v", edit, err)
				}
			}
			route, err := db.NewRulebook(store, nil).Route(t.Context(), db.Call{Context: "public", Number: "+27990000000"})
			if err != nil || route.Value.Called == nil || len(route.Value.Extensions) != 1 || len(route.Value.Extensions[0].Conditions) != 1 ||
				route.Value.Extensions[0].Conditions[0].Actions[0].Application != "hangup" {
				t.Errorf("the call: %+v, %v", route, err)
			}
		})
	}
}

// These compare by LIKE, since = is one of the things that may be another.
var refusedAnywhere = []string{
	`DELETE FROM public.node WHERE name LIKE '*'`,
	`INSERT INTO public.domain_user (domain, id, number_alias, password) VALUES ('acme.example', '1999', '1000', 'long-enough')`,
	`INSERT INTO public.tenant (name) VALUES ('not a label')`,
	`INSERT INTO public.document (name, body) VALUES ('x.conf', '<configuration name="x.conf"><é/></configuration>')`,
	`INSERT INTO public.tenant (name) VALUES ('beta');
		INSERT INTO public.context (name, tenant) VALUES ('beta', 'beta');
		INSERT INTO public.domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1000', 'user_context', 'beta')`,
	`INSERT INTO public.tenant (name) VALUES ('beta');
		UPDATE public.extension SET tenant = 'beta' WHERE name LIKE 'reception'`,
	`INSERT INTO public.tenant (name) VALUES ('beta');
		INSERT INTO public.extension (name, tenant) VALUES ('betas', 'beta');
		UPDATE public.number SET extension = 'betas', tenant = 'acme' WHERE number LIKE '+27123456789'`,
}

var editsAnywhere = []string{
	`INSERT INTO public.extension (name) VALUES ('busy')`,
	`INSERT INTO public.action (extension, position, application, data) VALUES ('busy', 1, 'hangup', 'USER_BUSY')`,
	`INSERT INTO public.number (context, number, tenant, extension) SELECT context, '+27990000000', tenant, 'busy' FROM public.number
		WHERE number LIKE '+27123456789'`,
	`UPDATE public.gateway SET proxy = 'new.example'`,
	`INSERT INTO public.gateway_param (gateway, name, value) SELECT name, 'ping', '30' FROM public.gateway`,
	`UPDATE public.domain_user SET caller_id_name = 'Front'`,
	`INSERT INTO public.domain_variable (domain, name, value) VALUES ('acme.example', 'x', 'y')`,
	`UPDATE public.tenant SET enabled = NOT enabled`,
	`UPDATE public.tenant SET enabled = NOT enabled`,
	`UPDATE public.context SET number_forms = number_forms`,
	`INSERT INTO public.domain (name, tenant, context) SELECT 'new.example', tenant, context FROM public.domain LIMIT 1`,
	`INSERT INTO public.document (name, body) VALUES ('x.conf', '<configuration name="x.conf"/>')`,
}

// No function leaves it to the session what its names stand for.
func TestFunctionsHaveTheirSearchPath(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.URL(t))
	rows, err := conn.Query(t.Context(), `
		SELECT p.oid::regprocedure::text
		FROM pg_proc p
		WHERE pronamespace = 'public'::regnamespace
			AND NOT coalesce(array_to_string(proconfig, ',') ~ 'search_path=.*pg_temp$', false)
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')`)
	if err != nil {
		t.Fatal(err)
	}
	loose, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(loose) > 0 {
		t.Errorf("%v, %v", loose, err)
	}
}
