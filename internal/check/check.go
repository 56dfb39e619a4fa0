// Package check finds in the rows what no constraint refuses, and what FreeSWITCH would not do as it looks.
package check

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/table"
	"xmlcurld/xmlcurl"
)

// Severity says how bad a finding is.
type Severity string

// The severities, the worst first.
const (
	Error   Severity = "error"   // calls fail, or a part of the switch does not start
	Warning Severity = "warning" // something does not work as its row looks
	Notice  Severity = "notice"  // worth knowing, and possibly meant
)

// rank orders severities, the worst first.
func (s Severity) rank() int { return slices.Index([]Severity{Error, Warning, Notice}, s) }

// Finding is something wrong with one row. There is at most one of a code for a row.
type Finding struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Table    string   `json:"table"`
	Key      string   `json:"key"`    // columns that name the row, as context=public number=+27123456789
	Tenant   string   `json:"tenant"` // whose the row is; empty: the operator's
	What     string   `json:"what"`   // a sentence on what is wrong
	Remedy   string   `json:"remedy"` // a sentence on what to do
}

// ID is what a finding keeps while its words change, such as a count in them.
type ID struct{ Code, Table, Key string }

// ID returns the finding's identity.
func (f Finding) ID() ID { return ID{f.Code, f.Table, f.Key} }

// Options narrow a run down. The zero value is everything.
type Options struct {
	Without     []string    // codes that are not looked for
	Tenant      string      // only findings in this tenant's rows
	Changed     []string    // tables: what looks at none of them is not looked for, since it finds what it found before; nil: all
	Gateways    []string    // where Changed is table gateway alone: the gateways that changed; nil: any
	AnswerLimit int64       // bytes of the longest answer, as setting answer_limit; 0: its preset
	Rows        *table.Seen // the Source of what tx sees, to all nodes; nil: it is made
}

// Check is one thing that is looked for.
type Check struct {
	Code     string
	Severity Severity
	About    string // what it finds, for the documentation
	reads    string // the tables that it looks at, besides tenant
	find     func(*world) ([]Finding, error)
}

// UnknownCodeError names a code that no check has.
type UnknownCodeError struct{ Code string }

func (e UnknownCodeError) Error() string { return fmt.Sprintf("no check has the code %q", e.Code) }

// Run looks for everything in the rows as tx sees them, and writes nothing. Findings come in order: the worst first, then by
// code and row. What is of a tenant that is off is in no answer, and is not looked at.
func Run(ctx context.Context, tx pgx.Tx, options Options) ([]Finding, error) {
	for _, code := range options.Without {
		if !slices.ContainsFunc(All, func(c Check) bool { return c.Code == code }) {
			return nil, UnknownCodeError{code}
		}
	}
	if options.AnswerLimit == 0 {
		options.AnswerLimit = xmlcurl.DefaultAnswerLimit
	}
	w, err := newWorld(ctx, tx, options)
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	all := []Finding{}
	for _, c := range All {
		if slices.Contains(options.Without, c.Code) || !options.touch(c.reads) {
			continue
		}
		found, err := c.find(w)
		if err != nil {
			return nil, fmt.Errorf("check %s: %w", c.Code, err)
		}
		for _, f := range found {
			if w.off[f.Tenant] || options.Tenant != "" && f.Tenant != options.Tenant {
				continue
			}
			f.Code, f.Severity = c.Code, c.Severity
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, inOrder)
	return slices.CompactFunc(all, func(a, b Finding) bool { return a.ID() == b.ID() }), nil
}

// touch reports whether something may be another one since the tables changed that it reads.
func (o *Options) touch(reads string) bool {
	return o.Changed == nil || slices.Contains(o.Changed, "tenant") ||
		slices.ContainsFunc(strings.Fields(reads), func(name string) bool { return slices.Contains(o.Changed, name) })
}

func inOrder(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.Severity.rank(), b.Severity.rank()), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Key, b.Key))
}
