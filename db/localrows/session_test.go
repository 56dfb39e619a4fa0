package localrows_test

import (
	"log/slog"
	"strings"
	"testing"

	"xmlcurld/db/dbtest"
	"xmlcurld/db/schema"
)

// Whatever its role and its database are set to, a session of the program's works as any other.
func TestSettingsOfTheDatabase(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	dbtest.Execute(t, url, `DO $$ BEGIN
		EXECUTE format('ALTER DATABASE %I SET lock_timeout = 1', current_database());
		EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = 1', current_database());
		EXECUTE format('ALTER DATABASE %I SET standard_conforming_strings = off', current_database());
		EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database());
		EXECUTE format('ALTER DATABASE %I SET DateStyle = SQL, DMY', current_database());
		EXECUTE format('ALTER DATABASE %I SET bytea_output = escape', current_database());
		EXECUTE format('ALTER DATABASE %I SET statement_timeout = 1', current_database());
	END $$`)
	store, c := openBoth(t, url)
	follow(t, c)
	same(t, "with local rows", ask(t.Context(), store), ask(t.Context(), c))
	if err := schema.Check(t.Context(), store.DB().Best()); err != nil {
		t.Error(err)
	}
}

func TestMigrateWithSettings(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	dbtest.Execute(t, url, `DO $$ BEGIN
		EXECUTE format('ALTER DATABASE %I SET standard_conforming_strings = off', current_database());
		EXECUTE format('ALTER DATABASE %I SET statement_timeout = 1', current_database());
	END $$`)
	if err := schema.Migrate(t.Context(), url, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
}

// Tables that the role does not look through are not missing.
func TestTablesElsewhere(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	dbtest.Execute(t, url, `ALTER SCHEMA public RENAME TO pbx; CREATE SCHEMA public`)
	err := schema.Check(t.Context(), dbtest.Open(t, url).DB().Best())
	if err == nil || !strings.Contains(err.Error(), "the tables are in schema pbx") || !strings.Contains(err.Error(), "SET search_path = pbx") {
		t.Errorf("got %v", err)
	}
}
