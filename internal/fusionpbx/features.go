package fusionpbx

import "fmt"

// feature is something that FusionPBX's own scripts do while a call lasts, from a table of its own.
type feature struct{ table, enabled, what, do string }

var featureList = []feature{
	{"v_ring_groups", "ring_group_enabled", "ring groups", "Write each as an extension that bridges to its members, or leave the script ring_groups to the switch."},
	{"v_ivr_menus", "ivr_menu_enabled", "voice menus", "Write each as a <menu> of document ivr.conf."},
	{"v_call_center_queues", "", "call centre queues", "Write document callcenter.conf with queues, agents and tiers."},
	{"v_fax", "", "fax extensions", "Write each as an extension with rxfax, and send what it stores by a script."},
	{"v_conference_rooms", "enabled", "rooms of conference centres", "Write each as an extension with conference."},
	{"v_call_flows", "call_flow_enabled", "call flows", "Write each as an extension with a condition on a variable."},
	{"v_call_block", "call_block_enabled", "rules of blocked calls", "Write each as an extension before the numbers'."},
	{"v_follow_me", "follow_me_enabled", "follow-me lists", "Write the destinations into the user's dial_string."},
	{"v_fifo", "fifo_enabled", "queues of mod_fifo", "Write document fifo.conf."},
	{"v_phrases", "phrase_enabled", "phrases", "Write each as a macro of a document of section languages."},
	{"v_devices", "device_enabled", "devices that are provisioned", "Leave provisioning to FusionPBX, or to another program."},
}

// features tells of what the switch is not told, but FusionPBX does.
func (f *fusion) features() error {
	for _, x := range featureList {
		if f.columns[x.table] == nil {
			continue
		}
		rows, err := f.read(x.table)
		if err != nil {
			return err
		}
		n := 0
		for _, r := range rows {
			if (x.enabled == "" || r.on(x.enabled)) && !f.isOff(r) {
				n++
			}
		}
		if n > 0 {
			f.leave(place(x.table, "(all)"), fmt.Sprintf("%s (%d)", x.what, n), "no table has them: FusionPBX's own scripts look them up during a call", x.do)
		}
	}
	return nil
}
