-- +goose Up

-- Words that FreeSWITCH 1.11.3-dev (of August 2026) knows, as its sources have
-- them. It ignores a parameter that it does not know, takes a field that it
-- does not know for empty, and ends the call at an application that it does not
-- know; modules may add more. So who writes another one is warned, and told the
-- nearest.

-- +goose StatementBegin
CREATE FUNCTION known_words(kind text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT regexp_split_to_array(btrim(CASE kind
        WHEN 'profile parameter' THEN '
3pcc-reinvite-bridged-on-ack accept-blind-auth accept-blind-reg aggressive-nat-detection alias all-reg-options-ping allow-update
apply-candidate-acl apply-inbound-acl apply-inbound-acl-x-token apply-nat-acl apply-proxy-acl apply-proxy-acl-x-token apply-register-acl
auth-all-packets auth-calls auth-calls-acl-only auth-messages auth-require-user auth-subscriptions auto-invite-100 auto-jitterbuffer-msec
auto-restart auto-rtp-bugs bind-attempt-interval bind-attempts bind-params bitpacking blind-auth-reply-403 caller-id-type challenge-realm
channel-xml-fetch-on-nightmare-transfer cid-in-1xx cng-pt codec-prefs confirm-blind-transfer contact-user context db-inner-post-trans-execute
db-inner-pre-trans-execute db-post-trans-execute db-pre-trans-execute db-spin-up-wait-ms dbname debug dialplan disable-auth-messages
disable-auth-subscriptions disable-hold disable-naptr disable-register disable-rtp-auto-adjust disable-srv disable-srv503 disable-transcoding
disable-transfer dtmf-duration dtmf-type enable-100rel enable-3pcc enable-chat enable-compact-headers enable-rfc-5626 enable-soa enable-timer
enforce-blind-auth-result ext-rtp-ip ext-sip-ip ext-sip-port extended-info-parsing fire-bye-response-events fire-message-events
fire-transfer-events force-publish-expires force-register-db-domain force-register-domain force-subscription-domain force-subscription-expires
forward-unsolicited-mwi-notify full-id-in-dialplan hold-music ignore-183nosdp in-dialog-chat inbound-bypass-media inbound-codec-negotiation
inbound-codec-prefs inbound-late-negotiation inbound-no-media inbound-proxy-media inbound-reg-force-matching-username
inbound-reg-in-new-thread inbound-use-callid-as-uuid keepalive-method liberal-dtmf local-network-acl log-auth-failures
make-every-transfer-a-nightmare manage-presence manage-shared-appearance manual-redirect manual-rtp-bugs manual-video-rtp-bugs
max-auth-validity max-calls max-proceeding max-recv-requests-per-second max-registrations-per-extension media-option minimum-session-expires
multiple-registrations mwi-use-reg-callid nat-options-ping ndlb-allow-bad-iananame ndlb-allow-crypto-in-avp ndlb-allow-nondup-sdp
ndlb-broken-auth-hash ndlb-expires-in-register-response ndlb-force-rport ndlb-proxy-never-patch-reinvites ndlb-received-in-nat-reg-contact
ndlb-sendrecv-in-session ndlb-support-asterisk-missing-srtp-auth nonce-ttl odbc-dsn outbound-codec-prefs outbound-proxy
outbound-use-uuid-as-callid p-asserted-id-parse parse-all-invite-headers parse-invite-tel-params pass-callee-id pass-rfc2833
ping-mean-interval ping-thread-frequency pnp-provision-url presence-disable-early presence-hold-state presence-hosts presence-privacy
presence-probe-on-register presence-proto-lookup profile-standby proxy-hold proxy-info proxy-info-content-types proxy-message
proxy-notify-events proxy-refer proxy-refer-replaces record-path record-template registration-thread-frequency require-secure-rtp
reuse-connections rfc-7989 rfc-7989-filter rfc-7989-force-old rfc2833-pt rfc8760-auth-algorithms rtcp-audio-interval-msec
rtcp-video-interval-msec rtp-autofix-timing rtp-digit-delay rtp-hold-timeout-sec rtp-ip rtp-notimer-during-bridge rtp-rewrite-timestamps
rtp-timeout-sec rtp-timer-name send-display-update send-message-query-on-register send-presence-on-register session-timeout shutdown-on-fail
sip-capture sip-domain sip-expires-late-margin sip-expires-max-deviation sip-force-expires sip-force-expires-max sip-force-expires-min sip-ip
sip-messages-respond-200-ok sip-options-respond-503-on-busy sip-port sip-subscribe-respond-200-ok sip-subscription-max-deviation sip-trace
sip-user-ping-max sip-user-ping-min socket-tcp-keepalive suppress-cng supress-cng t38-passthru tcp-always-nat tcp-keepalive tcp-ping2pong
tcp-pingpong tcp-unreg-on-socket-close timer-t1 timer-t1x64 timer-t2 timer-t4 tls tls-always-nat tls-bind-params tls-cert-dir tls-ciphers
tls-only tls-orq-connect-timeout tls-passphrase tls-sip-port tls-timeout tls-verify-date tls-verify-depth tls-verify-in-subjects
tls-verify-policy tls-version track-calls unregister-on-options-fail update-refresher use-port-for-acl-check user-agent-filter
user-agent-string username vad watchdog-enabled watchdog-event-timeout watchdog-step-timeout ws-binding wss-binding'
        WHEN 'condition field' THEN '
ani ani_numplan ani_ton aniii answered_time callee_id_name callee_id_number caller_id_name caller_id_number caller_numplan caller_ton
chan_name context created_time destination_number destination_number_numplan destination_number_ton dialplan hungup_time network_addr
orig_caller_id_name orig_caller_id_number privacy_hide_name privacy_hide_number profile_created_time profile_index progress_media_time
progress_time rdnis rdnis_numplan rdnis_ton screen_bit source transfer_source transferred_time username uuid'
        WHEN 'application' THEN '
acknowledge_call answer att_xfer avmd avmd_start avmd_stop basic bert_test bgsystem bind_digit_action bind_meta_app blind_transfer_ack
block_dtmf break bridge bridge_export broadcast callcenter callcenter_track capture capture_text capture_video check_acl chromakey cidlookup
clear_digit_action clear_speech_cache cluechoo cng_plc conference conference_set_auto_outcall curl curl_sendfile db debug_media decode_video
deduplicate_dtmf deflect delay_echo detect_audio detect_silence detect_speech digit_action_set_realm directory displace_session distributor
early_hangup easyroute eavesdrop echo enable_heartbeat enable_keepalive endless_playback enum erlang erlang_sendmsg esf_page_group eval event
execute_extension export fax_detect fifo fifo_track_call filter_codecs flush_dtmf fsk_display fsk_recv fsk_send fsk_simplify gentones group
hangup hash hiredis_raw hold httapi info intercept ivr java javascript jitterbuffer lcr limit limit_execute limit_hash limit_hash_execute log
loop_playback lua media_reset mkdir msrp_recv_file msrp_send_file multiset multiunset mutex native_eavesdrop nibblebill novideo osplookup
ospnext page park park_state perl phrase pickup play_and_detect_speech play_and_get_digits play_fsv play_video play_yuv playback pre_answer
preprocess presence privacy push python queue_dtmf read record record_fsv record_session record_session_mask record_session_pause
record_session_resume record_session_unmask recovery_refresh redirect remove_bugs rename respond reuse_caller_profile ring_ready rxfax say
sched_broadcast sched_cancel sched_hangup sched_heartbeat sched_transfer send_display send_dtmf send_info session_loglevel set set_audio_level
set_global set_media_stats set_mute set_name set_profile_var set_user set_zombie_exec sleep smpp_send snapshot socket sofia_sla
sofia_stir_shaken_vs soft_hold sound_test spandsp_detect_tdd spandsp_inject_tdd spandsp_send_tdd spandsp_start_dtmf spandsp_start_fax_detect
spandsp_start_tone_detect spandsp_stop_detect_tdd spandsp_stop_dtmf spandsp_stop_fax_detect spandsp_stop_inject_tdd spandsp_stop_tone_detect
speak start_dtmf start_dtmf_generate stop stop_displace_session stop_dtmf stop_dtmf_generate stop_record_session stop_tone_detect
stop_video_write_overlay stopfax strftime system t38_gateway three_way tone_detect transfer transfer_vars translate txfax unbind_meta_app
unblock_dtmf unhold unloop unset unshift userspy vad_test valet_park verbose_events verto_broadcast video_decode video_refresh video_replace
video_write_overlay vmd voicemail voicemail_ivr wait_for_answer wait_for_silence wait_for_video_ready'
    END, E' \n'), '\s+')
$$;

-- The least number of letters to change, add or leave out.
CREATE FUNCTION distance(a text, b text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    before integer[] := ARRAY(SELECT generate_series(0, length(b)));
    now_   integer[];
BEGIN
    FOR i IN 1 .. length(a) LOOP
        now_ := ARRAY[i];
        FOR j IN 1 .. length(b) LOOP
            now_ := now_ || least(before[j + 1] + 1, now_[j] + 1, before[j] + CASE WHEN substr(a, i, 1) = substr(b, j, 1) THEN 0 ELSE 1 END);
        END LOOP;
        before := now_;
    END LOOP;
    RETURN before[length(b) + 1];
END $$;

CREATE FUNCTION warn_of_unknown_word() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    word    CONSTANT text := to_jsonb(NEW) ->> TG_ARGV[1];
    nearest text;
BEGIN
    IF word IS NULL OR word LIKE '%$%' OR lower(word) = ANY (known_words(TG_ARGV[0])) THEN
        RETURN NULL;
    END IF;
    SELECT w INTO nearest FROM unnest(known_words(TG_ARGV[0])) w WHERE abs(length(w) - length(word)) <= 3 ORDER BY distance(lower(left(word, 64)), w), w LIMIT 1;
    IF distance(lower(left(word, 64)), nearest) > 1 + length(word) / 4 THEN
        nearest := NULL;
    END IF;
    RAISE WARNING 'FreeSWITCH 1.11 knows no % called %', TG_ARGV[0], word
        USING HINT = coalesce('Did you mean ' || nearest || '? ', '') || 'A module that is not its own may know it.';
    RETURN NULL;
END $$;

DO $$
DECLARE
    f record;
BEGIN
    FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = current_schema::regnamespace AND p.proname IN ('known_words', 'distance', 'warn_of_unknown_word') LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path TO %I, pg_temp', f.name, current_schema);
    END LOOP;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION known_words IS 'The words of a kind that FreeSWITCH 1.11.3-dev knows: profile parameter, condition field, application.';

CREATE TRIGGER warn_of_unknown_word AFTER INSERT OR UPDATE OF name ON sip_profile_param FOR EACH ROW EXECUTE FUNCTION warn_of_unknown_word('profile parameter', 'name');
CREATE TRIGGER warn_of_unknown_word AFTER INSERT OR UPDATE OF field ON condition FOR EACH ROW EXECUTE FUNCTION warn_of_unknown_word('condition field', 'field');
CREATE TRIGGER warn_of_unknown_word AFTER INSERT OR UPDATE OF field ON condition_regex FOR EACH ROW EXECUTE FUNCTION warn_of_unknown_word('condition field', 'field');
CREATE TRIGGER warn_of_unknown_word AFTER INSERT OR UPDATE OF application ON action FOR EACH ROW EXECUTE FUNCTION warn_of_unknown_word('application', 'application');
