//go:build linux

package calls

import (
	"encoding/xml"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/cmd/lab/rig"
	"xmlcurld/cmd/lab/world"
	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/table"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// told is what FreeSWITCH reads of a document, whoever it is from.
type told struct {
	Settings []param `xml:"section>configuration>settings>param"`
	Gateways []param `xml:"section>configuration>bindings>binding>param"`
	Modules  []struct {
		Name string `xml:"module,attr"`
	} `xml:"section>configuration>modules>load"`
	Profiles []struct {
		Name   string  `xml:"name,attr"`
		Params []param `xml:"settings>param"`
	} `xml:"section>configuration>profiles>profile"`
	Extensions []struct {
		Continue   string `xml:"continue,attr"`
		Conditions []struct {
			Field      string `xml:"field,attr"`
			Expression string `xml:"expression,attr"`
			Actions    []struct {
				Application string `xml:"application,attr"`
				Data        string `xml:"data,attr"`
			} `xml:"action"`
		} `xml:"condition"`
	} `xml:"section>context>extension"`
}

type param struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

func (told *told) read(t *testing.T, document []byte) {
	t.Helper()
	if err := xml.Unmarshal(document, told); err != nil {
		t.Fatalf("%v: %s", err, document)
	}
}

// sort orders what FreeSWITCH reads in any order.
func (told *told) sort() {
	byName := func(a, b param) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(told.Settings, byName)
	for _, p := range told.Profiles {
		slices.SortFunc(p.Params, byName)
	}
}

// The switches differ in where their dialplan comes from, and in nothing else.
func TestFilesTellWhatRowsTell(t *testing.T) {
	t.Parallel()
	f := &freeSWITCH{name: "calls", numbers: 1, address: "127.0.0.1:5099", rtpPort: 10000}
	var files, rows told
	files.read(t, []byte(f.conf("/bootstrap")))
	server := f.inWorld(t)
	for _, question := range []string{
		"section=configuration&tag_name=configuration&key_name=name&key_value=post_load_switch.conf",
		"section=configuration&tag_name=configuration&key_name=name&key_value=post_load_modules.conf",
		"section=configuration&tag_name=configuration&key_name=name&key_value=sofia.conf",
		"section=dialplan&tag_name=&key_name=&key_value=&Hunt-Context=public&Hunt-Destination-Number=" + world.BareNumber(0),
	} {
		request, err := xmlcurl.ParseRequest([]byte("hostname=" + f.name + "&" + question))
		if err != nil {
			t.Fatal(err)
		}
		document, err := xmlcurl.Render(t.Context(), server, request)
		if err != nil {
			t.Fatalf("%s: %v", question, err)
		}
		rows.read(t, document)
	}
	rows.Settings = append(rows.Settings, param{"switchname", f.name})                         // from the bootstrap
	files.Modules = slices.Delete(files.Modules, 0, len(files.Modules)-len(rig.SwitchModules)) // the loggers, likewise
	files.sort()
	rows.sort()
	if diff := cmp.Diff(rows, files); diff != "" {
		t.Errorf("-rows +files:\n%s", diff)
	}
}

// One that asks for its dialplan differs from that with a dialplan on its disk in nothing but that.
func TestConfThatAsks(t *testing.T) {
	t.Parallel()
	f := &freeSWITCH{name: "calls", numbers: 1, address: "127.0.0.1:5099", rtpPort: 10000}
	var has, asks told
	has.read(t, []byte(f.conf("/bootstrap")))
	f.url = "http://127.0.0.1:8080/dialplan"
	asks.read(t, []byte(f.conf("/bootstrap")))
	if len(asks.Extensions) != 0 || asks.Modules[len(asks.Modules)-1].Name != "mod_xml_curl" || len(asks.Gateways) != 1 || asks.Gateways[0].Value != f.url {
		t.Errorf("does not ask %s: %+v", f.url, asks)
	}
	asks.Extensions, asks.Modules, asks.Gateways = has.Extensions, has.Modules, nil
	if diff := cmp.Diff(has, asks); diff != "" {
		t.Errorf("-has +asks:\n%s", diff)
	}
}

// inWorld makes f a node of a small world, and returns who answers for it.
func (f *freeSWITCH) inWorld(t *testing.T) xmlcurl.Handler {
	t.Helper()
	url := dbtest.URL(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	size := world.Sizes{Tenants: 3, Numbers: 20, Users: 3, Gateways: 8, ACLEntries: 5, Nodes: 2}
	if _, err := conn.Exec(t.Context(), size.SQL()); err != nil {
		t.Fatal(err)
	}
	if err := f.insert(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	store, err := table.Open(t.Context(), url, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return sections.New(db.NewRulebook(store, nil), nil)
}
