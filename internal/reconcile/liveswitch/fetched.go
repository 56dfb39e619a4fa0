package liveswitch

import (
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"xmlcurld/db/fingerprint"
	"xmlcurld/db/switchstate"
	"xmlcurld/internal/eventsocket"
)

const (
	// startSlack is by how much, in seconds, the switch's and the database's idea of its start may differ.
	startSlack = 3
	// fetchLag is how long after a fetch its record may take.
	fetchLag = 2 * time.Second
)

// askedAnew are the documents that FreeSWITCH asks for whenever it uses them.
var askedAnew = []string{"ivr.conf", "conference.conf"}

// fromTables are the documents that are no rows of table document.
var fromTables = []string{"acl.conf", "sofia.conf", "event_socket.conf", "post_load_modules.conf", "post_load_switch.conf"}

// reloaded are the documents that FreeSWITCH reads anew, each whole and for no other reason, at the event RELOADXML: reloadxml
// brings it about, and so do reloadacl, rescan, startgw and others on the way. So a fetch of these is a take.
var reloaded = []string{timezones, "avmd.conf", "cidlookup.conf", "curl.conf", "enum.conf", "loopback.conf", "memcache.conf",
	"pocketsphinx.conf", "translate.conf", "tts_commandline.conf"}

// timezones is read before mod_xml_curl is there. It is the only one: what else the core reads so early (switch.conf and its
// like) it does not read again at that event.
const timezones = "timezones.conf"

// readWhole are the documents of modules that read them whole whenever they read them, at a command of their own too.
var readWhole = []string{"distributor.conf"}

// modulesOf are the modules of documents that are called otherwise than they.
var modulesOf = map[string]string{
	"avcodec.conf": "mod_av", "avformat.conf": "mod_av", "fax.conf": "mod_spandsp", "mod_blacklist.conf": "mod_blacklist",
	"python.conf": "mod_python3",
}

// loadSlack is for how long after a module was heard to be loaded its fetch is looked for. The fetch came before the event,
// and the event is heard at the next look at the latest.
const loadSlack = 5 * time.Second

// Fetched compares what the switch was given since its start, and can take then only, with what the rows say now. Documents
// that it reads anew at a command it is made to read.
func (sw *Switch) Fetched(ctx context.Context, found *Findings) error {
	want, err := fingerprint.AtStart(ctx, sw.rows.Rulebook, sw.name)
	if err != nil {
		return err
	}
	revisions, err := sw.rows.DocumentRevisions(ctx, sw.name)
	if err != nil {
		return err
	}
	up, err := sw.uptime(ctx)
	if err != nil {
		return err
	}
	if err := sw.reload(ctx, up, revisions, found); err != nil {
		return err
	}
	took, err := sw.tookSince(ctx, up)
	if err != nil {
		return err
	}
	var differs []string
	for _, part := range slices.Sorted(maps.Keys(want)) {
		if took[part].Revision != want[part] {
			differs = append(differs, part)
		}
	}
	for name, f := range took {
		if !ofModule(name) {
			continue
		}
		runs, err := sw.runsWith(ctx, name, f, took)
		if err != nil {
			return err
		}
		if runs != revisions[name] {
			differs = append(differs, name+": its module")
		}
	}
	slices.Sort(differs)
	// The record of what the switch was just given may be on its way, and what there is of the start before.
	if up < fetchLag.Seconds() {
		found.Pending = append(found.Pending, differs...)
	} else {
		found.Restart = differs
	}
	return nil
}

// reload has the switch read anew which of the documents that it reads at reloadxml are others now, and the time zones, which it
// could not ask for at its start.
func (sw *Switch) reload(ctx context.Context, up float64, revisions map[string]string, found *Findings) error {
	left, err := sw.unread(ctx, up, revisions)
	if err != nil || len(left) == 0 || sw.supposesReload() {
		return err
	}
	if err := sw.command(ctx, "reloadxml"); err != nil {
		return err
	}
	// Each is read in a thread of its own, after the reply.
	_, err = sw.await(ctx, fetchLag, func() (bool, error) {
		left, err = sw.unread(ctx, up, revisions)
		return len(left) == 0, err
	})
	found.Pending = append(found.Pending, left...)
	return err
}

// unread returns which of the documents that are read at reloadxml the switch does not run with as the rows say now.
func (sw *Switch) unread(ctx context.Context, up float64, revisions map[string]string) ([]string, error) {
	took, err := sw.tookSince(ctx, up)
	if err != nil {
		return nil, err
	}
	var left, owners []string
	unknown, err := sw.unknownZone(ctx, took[timezones].Revision, revisions[timezones])
	if err != nil {
		return nil, err
	}
	if unknown != "" {
		left = append(left, unknown)
	}
	for _, name := range reloaded {
		if f, asked := took[name]; asked && name != timezones && f.Revision != revisions[name] {
			owners = append(owners, moduleOf(name))
		}
	}
	loaded, err := sw.loaded(ctx, owners)
	for _, module := range owners {
		if loaded[module] {
			left = append(left, strings.TrimPrefix(module, "mod_")+".conf")
		}
	}
	return left, err
}

// unknownZone says what of timezones.conf the switch does not know, or nothing. Its zones are asked for once for each revision.
func (sw *Switch) unknownZone(ctx context.Context, took, revision string) (string, error) {
	if took != revision {
		return timezones, nil
	}
	if revision == "" || revision == sw.zones {
		return "", nil
	}
	document, err := sw.rows.Document(ctx, sw.name, "configuration", timezones)
	if err != nil {
		return "", err
	}
	var commands []eventsocket.Command
	for _, zone := range zonesIn(document.Value.Body) {
		if c := (eventsocket.Command{"strftime_tz", zone, "%H:%M"}); c.Check() == nil {
			commands = append(commands, c)
		}
	}
	replies, err := sw.askAll(ctx, commands)
	if err != nil {
		return "", err
	}
	for i := range replies {
		if replies[i].Err != nil {
			return timezones + ": " + commands[i][1], nil //nolint:nilerr // the refusal is the answer
		}
	}
	sw.zones = revision
	return "", nil
}

// zonesIn are the names of the zones in timezones.conf that have a value, as far as it can be read.
func zonesIn(body string) []string {
	var names []string
	for d := xml.NewDecoder(strings.NewReader(body)); ; {
		token, err := d.Token()
		if err != nil {
			return names
		}
		element, ok := token.(xml.StartElement)
		if !ok || element.Name.Local != "zone" {
			continue
		}
		attributes := make(map[string]string)
		for _, a := range element.Attr {
			attributes[a.Name.Local] = a.Value
		}
		if attributes["name"] != "" && attributes["value"] != "" && !strings.Contains(attributes["name"], "$$") {
			names = append(names, attributes["name"])
		}
	}
}

// ofModule reports whether name is that of a document that is stored as XML and that a module reads when it is loaded.
func ofModule(name string) bool {
	return strings.HasSuffix(name, ".conf") && !slices.Contains(askedAnew, name) && !slices.Contains(fromTables, name) &&
		!slices.Contains(reloaded, name)
}

// moduleOf is the module that reads a document.
func moduleOf(document string) string {
	return cmp.Or(modulesOf[document], "mod_"+strings.TrimSuffix(document, ".conf"))
}

// runsWith returns the revision of a document with which its module runs: what it fetched first since the switch started, or
// when it was heard to be loaded last. f is its last fetch.
func (sw *Switch) runsWith(ctx context.Context, name string, f switchstate.Fetch, took map[string]switchstate.Fetch) (string, error) {
	if slices.Contains(readWhole, name) {
		return f.Revision, nil
	}
	t, known := took[name+" "+fingerprint.TakenPart]
	module := moduleOf(name)
	heard, loaded := sw.loads[module]
	if loaded {
		since := time.Since(heard)
		if f.Age >= since.Seconds() && f.Age <= (since+loadSlack).Seconds() {
			t, known = f, false
		}
		if since > loadSlack {
			delete(sw.loads, module)
		}
	}
	if known {
		return t.Revision, nil
	}
	return f.Revision, sw.rows.Took(ctx, sw.name, name, f.Revision, f.Age)
}

// staleDocuments returns which of the documents that are stored as XML the switch took in another revision than today's.
func (sw *Switch) staleDocuments(ctx context.Context, took map[string]switchstate.Fetch) ([]string, error) {
	revisions, err := sw.rows.DocumentRevisions(ctx, sw.name)
	if err != nil {
		return nil, err
	}
	started := took["post_load_modules.conf"]
	var stale []string
	for _, name := range slices.Sorted(maps.Keys(took)) {
		if (ofModule(name) || slices.Contains(reloaded, name)) && took[name].Revision != revisions[name] {
			stale = append(stale, name)
		}
	}
	if f, asked := took[timezones]; revisions[timezones] != "" && (!asked || started.Document != "" && f.Age > started.Age) && !slices.Contains(stale, timezones) {
		stale = append(stale, timezones)
	}
	return stale, nil
}

// uptime asks for how many seconds the switch has been up.
func (sw *Switch) uptime(ctx context.Context) (float64, error) {
	reply, err := sw.ask(ctx, "uptime", "s")
	if err != nil {
		return 0, err
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(reply), 64)
	if err != nil {
		return 0, fmt.Errorf("read the reply to uptime: %w", err)
	}
	return seconds, nil
}

// tookSince returns the parts of documents that the switch fetched in the last seconds, by document and part.
func (sw *Switch) tookSince(ctx context.Context, seconds float64) (map[string]switchstate.Fetch, error) {
	all, err := sw.rows.Fetches(ctx, sw.name)
	if err != nil {
		return nil, err
	}
	took := make(map[string]switchstate.Fetch)
	for _, f := range all {
		if f.Age <= seconds+startSlack {
			took[strings.TrimSpace(f.Document+" "+f.Part)] = f
		}
	}
	return took, nil
}

// CompareFetches tells what can be told of a switch whose event socket this server does not have: whether what it fetched
// last is what it would be given now.
func (sw *Switch) CompareFetches(ctx context.Context, found *Findings) error {
	want, err := fingerprint.All(ctx, sw.rows.Rulebook, sw.name)
	if err != nil {
		return err
	}
	took, err := sw.tookSince(ctx, time.Hour.Seconds()*24*365*100)
	if err != nil {
		return err
	}
	for _, part := range slices.Sorted(maps.Keys(want)) {
		if took[part].Revision != want[part] {
			found.Pending = append(found.Pending, part)
		}
	}
	stale, err := sw.staleDocuments(ctx, took)
	found.Pending = append(found.Pending, stale...)
	return err
}
