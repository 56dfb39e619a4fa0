//go:build linux

package calls

import (
	"context"

	"xmlcurld/cmd/lab/rig"
	"xmlcurld/cmd/lab/world"
)

// freeSWITCH is a switch, and what it differs in from the others.
type freeSWITCH struct {
	name     string // of its node and folder
	dialplan string // where it finds a number, for the report
	numbers  int    // that it can be called at
	url      string // that it asks for its dialplan only, or "": it asks for everything or for nothing
	address  string // SIP
	rtpPort  int    // the first of rtpPorts
	rounds   []delays
}

// rtpPorts is how many ports for RTP one switch has: enough for none to be waited for.
const rtpPorts = 1000

// findPlace finds a SIP address for f. The range for RTP is the place-th below the ports that the kernel gives to others.
func (f *freeSWITCH) findPlace(place int) (err error) {
	f.rtpPort = 10000 + place*rtpPorts
	f.address, err = rig.FreeAddress()
	return err
}

// start starts program on the conf tree, to write into dir only. It returns when a call is answered.
func (f *freeSWITCH) start(ctx context.Context, program, conf, dir string, env ...string) (*rig.Process, error) {
	p, err := rig.StartFreeSWITCH(program, conf, dir, rig.LikeOthers, env...)
	if err != nil {
		return nil, err
	}
	return p, p.Await(ctx, func() error {
		_, err := rig.Call(ctx, dir, f.address, f.called(0, 1), 1)
		return err
	})
}

// called is which numbers the calls first to first+count go to: others each time, from all over those there are.
func (f *freeSWITCH) called(first, count int) []string {
	var numbers []string
	for i := range count {
		numbers = append(numbers, world.BareNumber(world.Scattered(first+i, f.numbers)))
	}
	return numbers
}
