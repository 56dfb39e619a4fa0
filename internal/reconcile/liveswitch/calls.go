package liveswitch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"xmlcurld/internal/eventsocket"
)

// Call is one side of a call that is up: a channel.
type Call struct {
	Channel string `json:"channel"` // its name, as FreeSWITCH has it
	Caller  string `json:"caller"`
	Called  string `json:"called"`
	On      string `json:"on"` // gateway NAME, or profile NAME
}

// channel is one that is up, as show channels has it.
type channel struct {
	UUID      string `json:"uuid"`
	Direction string `json:"direction"`
	Name      string `json:"name"`
	Caller    string `json:"cid_num"`
	Called    string `json:"dest"`
}

// Calls returns the calls that are up on some gateways and profiles.
func (sw *Switch) Calls(ctx context.Context, gateways, profiles []string) ([]Call, error) {
	reply, err := sw.ask(ctx, "show", "channels", "as", "json")
	if err != nil {
		return nil, err
	}
	var shown struct {
		Rows []channel `json:"rows"`
	}
	if err := json.Unmarshal([]byte(reply), &shown); err != nil {
		return nil, fmt.Errorf("read the reply to show channels: %w", err)
	}
	channels := slices.DeleteFunc(shown.Rows, func(c channel) bool { return !strings.HasPrefix(c.Name, "sofia/") })
	on, err := sw.gatewaysOf(ctx, channels)
	if err != nil {
		return nil, err
	}
	var calls []Call
	for i, c := range channels {
		profile, _, _ := strings.Cut(strings.TrimPrefix(c.Name, "sofia/"), "/")
		switch {
		case slices.Contains(gateways, on[i]):
			calls = append(calls, Call{c.Name, c.Caller, c.Called, "gateway " + on[i]})
		case slices.Contains(profiles, profile):
			calls = append(calls, Call{c.Name, c.Caller, c.Called, "profile " + profile})
		}
	}
	return calls, nil
}

// gatewaysOf asks by which gateway each call came in, or leaves; what is no gateway's name: by none.
func (sw *Switch) gatewaysOf(ctx context.Context, channels []channel) ([]string, error) {
	var commands []eventsocket.Command
	for _, c := range channels {
		variable := "sip_gateway"
		if c.Direction == "outbound" {
			variable = "sip_gateway_name"
		}
		commands = append(commands, eventsocket.Command{"uuid_getvar", c.UUID, variable})
	}
	replies, err := sw.askAll(ctx, commands)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, reply := range replies {
		names = append(names, strings.TrimSpace(reply.Body))
	}
	return names, nil
}
