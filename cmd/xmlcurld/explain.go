package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"xmlcurld/db/table"
	"xmlcurld/internal/explain"
	"xmlcurld/internal/mask"
)

// explainTime is for one explanation: a private server may have to be started for it first.
const explainTime = time.Minute

func explainFlags(flags *pflag.FlagSet) {
	flags.String("node", hostname(), "switchname of the FreeSWITCH that is told")
	flags.String("context", "public", "dialplan context that a number is called in")
	flags.StringArray("from", nil, "address, or number, that a call comes from; may be given once for each")
	flags.String("at", "", "when the call comes or came, with the rows of then: a time as 2026-12-24T09:00:00Z, or '2026-12-24 09:00' in the switch's time zone")
	flags.String("zone", "", "time zone of the switch, as Africa/Johannesburg; empty: this machine's")
	flags.StringArray("field", nil, "what else is known of the call, as caller_id_name=Door or variable_sip_h_X-A=b; may be repeated")
	flags.String("list", "", "access list that an address is looked up in")
	flags.Uint16("port", 0, "port that an address comes from; 0: any")
	flags.Bool("json", false, "print JSON instead of text")
}

// errRefused says that what was asked about does not work.
var errRefused = errors.New("not found, or refused")

// explainWhy prints why something is answered as it is. It fails if that is a refusal.
func explainWhy(ctx context.Context, i *invocation) error {
	call, err := explainedCall(i)
	if err != nil {
		return usageError{err}
	}
	ask, err := explainQuestion(i, call)
	if err != nil {
		return usageError{err}
	}
	masker, err := mask.New(rand.Reader)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, explainTime)
	defer cancel()
	var then time.Time // zero: now
	if text(i.flags, "at") != "" {
		then = call.Time
	}
	var x *explain.Explanation
	err = withStore(ctx, i, func(store *table.Store) error {
		return atOneMoment(ctx, store, then, func(tx pgx.Tx) (err error) {
			x, err = ask(ctx, explain.New(tx, text(i.flags, "node"), secretsOf(i, prometheus.NewRegistry()), masker))
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("explain %s: %w", strings.Join(i.operands, " "), err)
	}
	if asJSON, _ := i.flags.GetBool("json"); asJSON {
		err = printJSON(i.stdout, x)
	} else {
		err = x.Show(i.stdout)
	}
	if err == nil && (!x.Found || len(x.Refused) > 0) {
		return fmt.Errorf("explain %s: %w", strings.Join(i.operands, " "), errRefused)
	}
	return err
}

// question asks an Explainer.
type question func(context.Context, *explain.Explainer) (*explain.Explanation, error)

func explainQuestion(i *invocation, call explain.Call) (question, error) {
	o := i.operands
	if len(o) < 2 {
		o = []string{"", ""}
	}
	switch o[0] {
	case "number":
		call.Number = o[1]
		return func(ctx context.Context, e *explain.Explainer) (*explain.Explanation, error) {
			return e.Number(ctx, call)
		}, exactly(i, 2)
	case "user":
		user, domain, found := strings.Cut(o[1], "@")
		if !found {
			return nil, fmt.Errorf("%s: not USER@DOMAIN", o[1])
		}
		return func(ctx context.Context, e *explain.Explainer) (*explain.Explanation, error) {
			return e.User(ctx, user, domain, call.Address)
		}, exactly(i, 2)
	case "gateway":
		return func(ctx context.Context, e *explain.Explainer) (*explain.Explanation, error) {
			return e.Gateway(ctx, o[1])
		}, exactly(i, 2)
	case "address":
		address, err := netip.ParseAddr(o[1])
		list := text(i.flags, "list")
		if err == nil && list == "" {
			err = errors.New("which access list? --list NAME")
		}
		port, _ := strconv.Atoi(text(i.flags, "port")) // the flag is a number: no error
		return func(ctx context.Context, e *explain.Explainer) (*explain.Explanation, error) {
			return e.Address(ctx, address, port, list)
		}, errors.Join(err, exactly(i, 2))
	case "row":
		if len(o) < 3 {
			return nil, errors.New("explain row takes a table and the key of a row")
		}
		return func(ctx context.Context, e *explain.Explainer) (*explain.Explanation, error) {
			return e.Reached(ctx, o[1], strings.Join(o[2:], " "))
		}, nil
	}
	return nil, errors.New("explain what? number NUMBER, user USER@DOMAIN, gateway NAME, address IP, or row TABLE KEY")
}

func exactly(i *invocation, n int) error {
	if len(i.operands) != n {
		return fmt.Errorf("explain %s takes %d operands, not %d", i.operands[0], n-1, len(i.operands)-1)
	}
	return nil
}

// explainedCall is what the flags say of a call.
func explainedCall(i *invocation) (call explain.Call, err error) {
	call = explain.Call{Context: text(i.flags, "context"), Fields: map[string]string{}, Variables: map[string]string{}}
	from, _ := i.flags.GetStringArray("from") // the flags exist: no error
	for _, one := range from {
		if address, err := netip.ParseAddr(one); err == nil {
			call.Address = address
		} else {
			call.Caller = one
		}
	}
	fields, _ := i.flags.GetStringArray("field")
	for _, pair := range fields {
		name, value, found := strings.Cut(pair, "=")
		if !found || name == "" {
			return call, fmt.Errorf("--field %q: not name=value", pair)
		}
		if variable, ok := strings.CutPrefix(name, "variable_"); ok {
			call.Variables[variable] = value
		} else {
			call.Fields[name] = value
		}
	}
	zone := time.Local
	if name := text(i.flags, "zone"); name != "" {
		if zone, err = time.LoadLocation(name); err != nil {
			return call, fmt.Errorf("--zone: %w", err)
		}
	}
	call.Time = time.Now().In(zone)
	if at := text(i.flags, "at"); at != "" {
		if call.Time, err = parseMoment(at, call.Time); err != nil {
			return call, fmt.Errorf("--at %w", err)
		}
		call.Time = call.Time.In(zone)
	}
	return call, nil
}
