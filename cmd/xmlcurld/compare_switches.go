package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/internal/booted"
	"xmlcurld/internal/conftree"
	"xmlcurld/internal/form"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

// addressesAsked are looked up in every access list of both switches, besides the networks that the lists name.
var addressesAsked = []string{"127.0.0.1", "10.1.2.3", "172.16.1.2", "192.168.1.2", "192.0.2.1", "198.51.100.7", "203.0.113.9", "2001:db8::1", "::1"}

// compareSwitches boots two switches, one on the tree and one on what the server answers, and compares what they report.
func compareSwitches(ctx context.Context, i *invocation, program string, tree *conftree.Tree, store *table.Store) (r booted.Result, err error) {
	handler := sections.New(db.NewRulebook(store, secretsOf(i, prometheus.NewRegistry())), nil)
	s := booted.Switches{
		Program: program, Tree: tree.Dir, Node: text(i.flags, "node"),
		Server: xmlcurl.NewServer(xmlcurl.Options{Handler: handler, Deadline: renderTime, AnswerLimit: i.config.AnswerLimit}),
	}
	if zone := text(i.flags, "zone"); zone != "" {
		s.Environ = []string{"TZ=" + zone}
	}
	params := make(map[string]string)
	for _, p := range tree.Section("configuration").Named("configuration", "event_socket.conf").Child("settings").All("param") {
		params[p.Attr("name")], _ = tree.Expand(p, p.Attr("value"))
	}
	s.TreeSocket, s.TreePassword = booted.EventSocket(params)
	if params, err = eventSocketTold(ctx, handler, s.Node); err != nil {
		return r, err
	}
	s.ServerSocket, s.ServerPassword = booted.EventSocket(params)
	return s.Compare(ctx, booted.SubjectsOf(tree, addressesAsked))
}

// eventSocketTold are the params of event_socket.conf that the server tells.
func eventSocketTold(ctx context.Context, handler xmlcurl.Handler, node string) (map[string]string, error) {
	request, err := xmlcurl.ParseRequest([]byte(form.Configuration(node, "event_socket.conf").String()))
	if err != nil {
		return nil, err
	}
	text, err := xmlcurl.Render(ctx, handler, request)
	if err != nil {
		return nil, err
	}
	var document struct {
		Params []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"section>configuration>settings>param"`
	}
	if err := xml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	params := make(map[string]string)
	for _, p := range document.Params {
		params[p.Name] = p.Value
	}
	return params, nil
}

// printSwitches prints what was asked of both switches, and what they report otherwise.
func printSwitches(w io.Writer, r booted.Result) {
	fmt.Fprintln(w, "\nTwo switches, one on the tree and one on the server, were asked about")
	for _, kind := range slices.Sorted(maps.Keys(r.Compared)) {
		fmt.Fprintf(w, "  %6d %s\n", r.Compared[kind], kind)
	}
	for _, d := range r.Differences {
		fmt.Fprintf(w, "  %s", d.Command)
		if d.What != "" {
			fmt.Fprintf(w, ", %s", d.What)
		}
		fmt.Fprintf(w, "\n    tree    %s\n    server  %s\n", d.Tree, d.Server)
	}
	if len(r.Differences) == 0 {
		fmt.Fprintln(w, "They report the same.")
	}
}
