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

// gatewayVariables hold the gateway that a call came in by, and the one that it left by.
var gatewayVariables = []string{"sip_gateway", "sip_gateway_name"}

// Calls returns the calls that are up on some gateways and profiles.
func (sw *Switch) Calls(ctx context.Context, gateways, profiles []string) ([]Call, error) {
	reply, err := sw.ask(ctx, "show", "channels", "as", "json")
	if err != nil {
		return nil, err
	}
	var shown struct {
		Rows []struct {
			UUID   string `json:"uuid"`
			Name   string `json:"name"`
			Caller string `json:"cid_num"`
			Called string `json:"dest"`
		} `json:"rows"`
	}
	if err := json.Unmarshal([]byte(reply), &shown); err != nil {
		return nil, fmt.Errorf("read the reply to show channels: %w", err)
	}
	var commands []eventsocket.Command
	for _, row := range shown.Rows {
		for _, variable := range gatewayVariables {
			commands = append(commands, eventsocket.Command{"uuid_getvar", row.UUID, variable})
		}
	}
	replies, err := sw.askAll(ctx, commands)
	if err != nil {
		return nil, err
	}
	var calls []Call
	for i, row := range shown.Rows {
		call := Call{row.Name, row.Caller, row.Called, ""}
		for n := range gatewayVariables {
			if gateway := strings.TrimSpace(replies[len(gatewayVariables)*i+n].Body); slices.Contains(gateways, gateway) {
				call.On = "gateway " + gateway
			}
		}
		if technology, rest, _ := strings.Cut(row.Name, "/"); call.On == "" && technology == "sofia" {
			if profile, _, _ := strings.Cut(rest, "/"); slices.Contains(profiles, profile) {
				call.On = "profile " + profile
			}
		}
		if call.On != "" {
			calls = append(calls, call)
		}
	}
	return calls, nil
}
