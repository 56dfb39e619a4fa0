package liveswitch

import (
	"context"
	"slices"
	"strings"
	"time"

	"xmlcurld/db/fingerprint"
	"xmlcurld/internal/eventsocket"
	"xmlcurld/internal/pace"
)

// Profiles starts new SIP profiles and has the running ones take their changed settings by a rescan. Where a profile listens
// waits for a restart and is named; the rest of that profile does not wait.
func (sw *Switch) Profiles(ctx context.Context, found *Findings) error {
	want, err := sw.rows.Sofia(ctx, sw.name, "", "")
	if err != nil {
		return err
	}
	running, err := sw.running(ctx)
	if err != nil || running == nil {
		return err
	}
	parts := fingerprint.Sofia(want.Value, "", "", false)
	for _, p := range want.Value.Profiles {
		if !running[p.Name] {
			err = sw.startProfile(ctx, p.Name, found)
		} else {
			err = sw.rescanProfile(ctx, p.Name, parts, found)
		}
		if err != nil {
			return err
		}
		delete(running, p.Name)
	}
	for name := range running {
		found.Restart = append(found.Restart, "profile "+name+": removed")
	}
	slices.Sort(found.Restart)
	return nil
}

// running asks which SIP profiles there are, and whether they run. Without mod_sofia it is nil.
func (sw *Switch) running(ctx context.Context) (map[string]bool, error) {
	reply, err := sw.ask(ctx, "sofia", "status")
	if refusedBy(err) != nil {
		return nil, nil //nolint:nilerr // the refusal is the answer
	}
	if err != nil {
		return nil, err
	}
	return listedProfiles(reply), nil
}

func (sw *Switch) startProfile(ctx context.Context, name string, found *Findings) error {
	if err := sw.command(ctx, "sofia", "profile", name, "start"); err != nil {
		return err
	}
	started, err := sw.await(ctx, settle, func() (bool, error) {
		running, err := sw.running(ctx)
		return running[name], err
	})
	if !started {
		found.Pending = append(found.Pending, "profile "+name+": start")
	}
	return err
}

// rescanProfile: the settings cannot be read back from the switch, so its last fetch tells which it took.
func (sw *Switch) rescanProfile(ctx context.Context, name string, want fingerprint.Parts, found *Findings) error {
	took, err := sw.sofiaParts(ctx)
	if err != nil {
		return err
	}
	if address, known := took[name+"/address"]; !known {
		found.Restart = append(found.Restart, "profile "+name+": started without this server")
	} else {
		for _, change := range fingerprint.AddressChanges(address, want[name+"/address"]) {
			found.Restart = append(found.Restart, "profile "+name+": "+change)
		}
	}
	if left := leftOut(took[name+"/kept"], want[name+"/kept"]); left != "" {
		found.Restart = append(found.Restart, "profile "+name+": without "+left)
	}
	settings := []string{name + "/settings", "all profiles"}
	inSync := func() bool {
		return !slices.ContainsFunc(settings, func(part string) bool { return took[part] != want[part] })
	}
	if inSync() {
		return nil
	}
	if err := sw.noteRefusal(sw.rescan(ctx, name)); err != nil {
		return err
	}
	rescanned, err := sw.await(ctx, fetchLag, func() (bool, error) {
		took, err = sw.sofiaParts(ctx)
		return inSync(), err
	})
	if !rescanned {
		found.Pending = append(found.Pending, "profile "+name+": settings")
	}
	return err
}

// rescan has a running profile take its settings and new gateways, and go on listening where it does: see
// fingerprint.RescanVariable. The three commands leave together, so that nobody's start falls between them for lack of this server.
func (sw *Switch) rescan(ctx context.Context, profile string) error {
	replies, err := sw.askAll(ctx, []eventsocket.Command{
		{"global_setvar", fingerprint.RescanVariable + "=start-"}, {"sofia", "profile", profile, "rescan"}, noRescan,
	})
	if err != nil {
		return err
	}
	return replies[1].Err
}

// noRescan ends what rescan begins. It is also said to every switch that is met: a server may have died in between.
var noRescan = eventsocket.Command{"global_setvar", fingerprint.RescanVariable + "="}

// sofiaParts returns the parts of sofia.conf as the switch took them last.
func (sw *Switch) sofiaParts(ctx context.Context) (fingerprint.Parts, error) {
	all, err := sw.rows.Fetches(ctx, sw.name)
	if err != nil {
		return nil, err
	}
	parts := make(fingerprint.Parts)
	for _, f := range all {
		if f.Document == "sofia.conf" {
			parts[f.Part] = f.Revision
		}
	}
	return parts, sw.supposeFetches(ctx, parts)
}

// leftOut are the words in had that want lacks.
func leftOut(had, want string) string {
	names := strings.Fields(want)
	return strings.Join(slices.DeleteFunc(strings.Fields(had), func(name string) bool { return slices.Contains(names, name) }), " ")
}

// await asks done again and again until it is, for at most as long as limit. In a dry run it is taken to be.
func (sw *Switch) await(ctx context.Context, limit time.Duration, done func() (bool, error)) (bool, error) {
	if sw.options.Dry {
		return true, nil
	}
	return sw.insist(ctx, limit, done)
}

// insist does something again and again until it is done, for at most as long as limit. In a dry run once is enough.
func (sw *Switch) insist(ctx context.Context, limit time.Duration, do func() (done bool, err error)) (bool, error) {
	for deadline := time.Now().Add(limit); ; {
		asked := time.Now()
		ok, err := do()
		if ok || err != nil || sw.options.Dry || time.Now().After(deadline) {
			return ok && err == nil, err
		}
		// Of many gateways it takes the switch a while to tell: it is left alone for at least as long.
		pace.Sleep(ctx, max(poll, time.Since(asked)))
		if err := ctx.Err(); err != nil {
			return false, lostError{err}
		}
	}
}
