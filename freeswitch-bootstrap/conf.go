// Package bootstrap holds all that FreeSWITCH needs on its own disk. Its tests hold the conf tree and the image's scripts to
// what they promise.
package bootstrap

import "embed"

// Conf has the folder conf, with freeswitch.xml in it.
//
//go:embed conf
var Conf embed.FS
