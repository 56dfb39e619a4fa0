package check

// All are the checks, by what they are about.
var All = []Check{
	{"expression-refused", Error, "a regular expression that PCRE cannot compile: it never matches", expressionRefused},
	{"expression-alternatives", Warning, "`^a|b$`, where `^` and `$` do not belong to all alternatives", judged(expressionAlternatives)},
	{"expression-asterisk", Notice, "an expression that begins with `_`, which FreeSWITCH reads as a pattern of Asterisk's", judged(expressionAsterisk)},
	{"expression-backslash", Warning, "a doubled backslash, as in `\\\\d`", judged(expressionBackslash)},
	{"expression-class", Warning, "`[10-19]` or `[10|20]`, which is one character", judged(expressionClass)},
	{"expression-context", Warning, "a condition on a context that nobody has", expressionContext},
	{"expression-dot", Warning, "an address or a host whose dots match any character", judged(expressionDot)},
	{"expression-never", Warning, "an expression that nothing can match, as `^1$2`", judged(expressionNever)},
	{"expression-slashes", Warning, "options behind `/…/` that mean nothing", judged(expressionSlashes)},
	{"expression-unanchored", Warning, "a number without `^` and `$`, which matches within others", judged(expressionUnanchored)},

	{"application-unknown", Warning, "an application that FreeSWITCH does not know, with the nearest name",
		wordUnknown("application", "the call ends there", applications)},
	{"context-forms", Error, "a context whose numbers cannot be dialled in any form", contextForms},
	{"context-unknown", Warning, "a transfer, a profile, a gateway or a user with a context that nobody has", contextUnknown},
	{"destination-unknown", Error, "a dial string with a gateway, profile or user that nobody has, or that is off", destinationUnknown},
	{"extension-empty", Warning, "an extension without an action that calls get to", extensionEmpty},
	{"extension-hidden", Warning, "an extension of a context behind one that takes every call", extensionHidden},
	{"field-unknown", Warning, "a field of a condition that FreeSWITCH does not know: it is always empty",
		wordUnknown("condition field", "it is always empty", fields)},
	{"number-refused", Warning, "a number that does not fulfil the condition of its own extension", numberRefused},
	{"number-unknown", Warning, "a transfer to a number that nobody has", numberUnknown},
	{"transfer-loop", Error, "numbers that are transferred in a circle", transferLoop},

	{"domain-unknown", Warning, "a profile with a domain that nobody has", domainUnknown},
	{"gateway-name", Notice, "a gateway with the name of a profile", gatewayName},
	{"gateway-nowhere", Warning, "a gateway that no node has, or whose user's domain no profile parses", gatewayNowhere},
	{"gateway-registers-twice", Warning, "an account that several nodes register", gatewayRegistersTwice},
	{"gateway-transport", Error, "a gateway over TLS in a profile without: FreeSWITCH refuses it", gatewayTransport},
	{"profile-name", Warning, "a domain that is to be the name of two profiles on one node", profileName},
	{"profile-port", Error, "two profiles that listen at one address of a node", profilePort},

	{"carrier-networks", Warning, "a trunk whose profile lets in other networks than its carrier publishes", carrierNetworks},
	{"list-unknown", Warning, "an access list that nobody has: it lets nobody in", listUnknown},
	{"networks-conflict", Warning, "a network that one list is to let in and to keep out", networksConflict},
	{"networks-nested", Notice, "a network within one of the opposite action in the same list", networksNested},

	{"event-socket-loopback", Warning, "an event socket on loopback that the server is to reach from elsewhere", eventSocketLoopback},
	{"event-socket-shared", Warning, "several nodes that are to be reached at one event socket", eventSocketShared},
	{"socket-address", Error, "an address of application `socket` that nothing can connect to", socketAddress},

	{"answer-nearly-too-long", Warning, "a document of 80 % of `answer_limit` or more", nearlyTooLong},
	{"answer-too-long", Error, "a document longer than `answer_limit`", tooLong},
	{"rtp-range", Warning, "fewer even RTP ports than sessions", rtpRange},

	{"document-unasked", Notice, "a document whose module is not loaded", documentUnasked},
	{"module-document", Warning, "a module that does not load without a document, which is not there", moduleDocument},
	{"module-missing", Warning, "an application, destination, file or voice whose module no row loads", moduleMissing},
	{"parameter-unknown", Warning, "a parameter that FreeSWITCH does not know, with the nearest name", parameterUnknown},
	{"restart-required", Notice, "what a switch was told and ignores until it restarts", restartRequired},
	{"variable-altered", Warning, "a global variable in which FreeSWITCH changes `${` to `%{`", variableAltered},
	{"variable-dropped", Warning, "a variable of calls that FreeSWITCH does not set, because it holds `${`", variableDropped},
	{"variable-late", Notice, "a global variable that modules find empty at a start", variableLate},
}
