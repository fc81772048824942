/** Values of series, in promtool's notation; a sample every 30 s. */
export type Series = Readonly<Record<string, string>>;

/** One state of a deployment, and the alerts that it fires. */
export interface RuleCase {
  readonly fires: readonly string[];
  readonly when: string;
  readonly series: Series;
}

/** Minutes after which is asked. */
export const ASKED_AT = 24;
const SAMPLES = ASKED_AT * 2;

const always = (value: number): string => `${value}x${SAMPLES}`;
/** A counter that grows by so much a second. */
const rate = (perSecond: number): string => `0+${perSecond * 30}x${SAMPLES}`;
/** Something else from so many minutes before the end on. */
const turned = (before: string, after: string, minutes: number): string =>
  `${before}x${SAMPLES - minutes * 2 - 1} ${after}x${minutes * 2}`;

const of = (job: string, number = 1): string =>
  `domain="example.com",job="${job}",instance="${job}-${number}"`;
const BONO = of("bono");
const SPROUT = of("sprout");
const RALF = of("ralf");

const procedures = (name: string, procedure: string): string =>
  `ims_sprout_procedure_${name}_total{${SPROUT},procedure="${procedure}",role=""}`;
const bucket = (histogram: string, labels: string, le: string): string =>
  `${histogram}_bucket{${labels},le="${le}"}`;
/** All of a histogram below or above a bound. */
const histogram = (name: string, labels: string, bound: string, isFast: boolean): Series => ({
  [bucket(name, labels, bound)]: rate(isFast ? 10 : 0),
  [bucket(name, labels, "32")]: rate(10),
  [bucket(name, labels, "+Inf")]: rate(10),
});
const up = (job: string, number: number): string => `up{${of(job, number)}}`;
const alarm = (problem: string, name: string, severity: string): string =>
  `ims_alarms_active{${SPROUT},problem="${problem}",name="${name}",severity="${severity}"}`;

const pool = (job: string): [string, string][] => [1, 2, 3, 4].map((number) => [up(job, number), always(1)]);

const REGISTRATION_TIMES = `${SPROUT},procedure="initialRegistration",role=""`;
const RINGING = `${BONO},side="access",stage="ringing"`;
const UAR = `${SPROUT},command="UAR"`;
const GET = `${SPROUT},operation="get"`;
const ROWS = 'kind="statement",outcome="rows"';

/** A deployment that works: no alert fires. */
export const WELL: Series = {
  ...Object.fromEntries(["bono", "sprout", "homestead"].flatMap(pool)),
  [`process_start_time_seconds{${SPROUT}}`]: always(1000),
  [`nodejs_eventloop_delay_p99_seconds{${SPROUT}}`]: always(0.002),
  [alarm("TW-2001", "hss-unreachable", "critical")]: always(0),
  [alarm("TW-1008", "certificate-expiring", "warning")]: always(0),
  [`ims_bono_defects_total{${BONO}}`]: always(0),
  [`ims_sprout_defects_total{${SPROUT}}`]: always(0),
  [`ims_mmtel_defects_total{${of("mmtel")}}`]: always(0),
  ...Object.fromEntries(
    ["initialRegistration", "reRegistration", "session"].flatMap((procedure) => [
      [procedures("attempts", procedure), rate(10)],
      [procedures("successes", procedure), rate(9.9)],
    ]),
  ),
  [`ims_sprout_procedure_failures_total{${SPROUT},procedure="session",role="",cause="503"}`]: rate(0.05),
  [`ims_bono_registered_sets{${BONO}}`]: always(1000),
  [`ims_bono_sip_responses_total{${BONO},side="access",class="2xx",method="REGISTER"}`]: rate(10),
  [`ims_bono_sip_responses_total{${BONO},side="access",class="5xx",method="REGISTER"}`]: rate(0.1),
  ...histogram("ims_sprout_procedure_seconds", REGISTRATION_TIMES, "0.1", true),
  ...histogram("ims_bono_sip_call_setup_seconds", RINGING, "5", true),
  [`ims_bono_refused_total{${BONO},reason="guessLimit"}`]: rate(0.01),
  ...Object.fromEntries(
    [
      `ims_bono_sip_next_hops_down{${BONO}}`,
      `ims_sprout_sip_next_hops_down{${SPROUT}}`,
      `ims_bono_sip_breakers_open{${BONO}}`,
      `ims_sprout_sip_breakers_open{${SPROUT}}`,
      `ims_sprout_application_servers_away{${SPROUT}}`,
      `ims_bono_ibcf_targets_down{${BONO}}`,
      `ims_sprout_memcached_away{${SPROUT}}`,
      `ims_sprout_unsettled_registrations{${SPROUT}}`,
      `ims_sprout_calendar_lag_minutes{${SPROUT}}`,
      `ims_sprout_clock_correction_seconds{${SPROUT}}`,
      `ims_bono_overload_refused_total{${BONO}}`,
      `ims_sprout_overload_refused_total{${SPROUT}}`,
      `ims_bono_overload_queue_seconds{${BONO}}`,
      `ims_sprout_overload_queue_seconds{${SPROUT}}`,
      `ims_bono_sip_dropped_total{${BONO},side="access",reason="stale"}`,
      `ims_sprout_sip_dropped_total{${SPROUT},side="scscf",reason="stale"}`,
      `ims_homestead_http_refused_total{${of("homestead")}}`,
      `ims_homer_http_refused_total{${of("homer")}}`,
      `ims_ellis_http_refused_total{${of("ellis")}}`,
      `ims_ralf_queued_records{${RALF}}`,
      `ims_ralf_dead_letters{${RALF}}`,
      `ims_bono_charging_events_lost_total{${BONO}}`,
      `ims_sprout_charging_events_lost_total{${SPROUT}}`,
      `ims_bono_charging_events_queued{${BONO}}`,
      `ims_sprout_charging_events_queued{${SPROUT}}`,
    ].map((series) => [series, always(0)]),
  ),
  [`ims_sprout_diameter_open_peers{${SPROUT}}`]: always(2),
  [`ims_ralf_diameter_open_peers{${RALF}}`]: always(1),
  [`ims_sprout_diameter_requests_sent_total{${UAR},outcome="success"}`]: rate(10),
  [`ims_sprout_diameter_requests_sent_total{${UAR},outcome="timeout"}`]: rate(0.01),
  [`ims_sprout_diameter_results_received_total{${UAR},result="DIAMETER_TOO_BUSY"}`]: rate(0.01),
  ...histogram("ims_sprout_diameter_request_seconds", UAR, "0.1", true),
  [`ims_sprout_memcached_operations_total{${GET},outcome="found"}`]: rate(10),
  [`ims_sprout_memcached_operations_total{${GET},outcome="unavailable"}`]: rate(0.01),
  ...histogram("ims_sprout_memcached_seconds", GET, "0.02", true),
  ...Object.fromEntries(
    ["sprout", "homestead", "homer", "ellis", "ralf"].flatMap((node) => [
      [`ims_${node}_cassandra_requests_total{${of(node)}}`, rate(10)],
      [`ims_${node}_cassandra_unavailable_total{${of(node)}}`, rate(0.01)],
    ]),
  ),
  ...histogram("ims_sprout_cassandra_seconds", `${SPROUT},${ROWS}`, "0.1", true),
  ...histogram("ims_homestead_cassandra_seconds", `${of("homestead")},${ROWS}`, "0.1", true),
};

const one = (fires: string, when: string, series: Series): RuleCase => ({ fires: [fires], when, series });

export const CASES: readonly RuleCase[] = [
  one("TidewaterNodeDown", "one of four is down", { [up("sprout", 2)]: always(0) }),
  {
    fires: ["TidewaterNodeDown", "TidewaterPoolUnderTolerance"],
    when: "two of four are down",
    series: { [up("bono", 2)]: always(0), [up("bono", 3)]: always(0) },
  },
  one("TidewaterNodeRestarts", "a node starts again and again", {
    [`process_start_time_seconds{${SPROUT}}`]: `1000x${SAMPLES - 24} 2000x7 3000x7 4000x10`,
  }),
  one("TidewaterEventLoopDelay", "a node is slow", {
    [`nodejs_eventloop_delay_p99_seconds{${SPROUT}}`]: always(0.08),
  }),
  one("TidewaterAlarm", "a node reports an alarm", {
    [alarm("TW-2001", "hss-unreachable", "critical")]: always(1),
  }),
  one("TidewaterCertificateExpiring", "a certificate ends", {
    [alarm("TW-1008", "certificate-expiring", "warning")]: always(1),
  }),
  one("TidewaterDefects", "a procedure fails", {
    [`ims_sprout_defects_total{${SPROUT}}`]: turned("0", "1", 10),
  }),
  one("TidewaterDefects", "an MMTEL server of its own fails", {
    [`ims_mmtel_defects_total{${of("mmtel")}}`]: turned("0", "1", 10),
  }),
  one("TidewaterRegistrationSuccessLow", "a fifth cannot register", {
    [procedures("successes", "initialRegistration")]: rate(8),
  }),
  one("TidewaterReRegistrationSuccessLow", "one of 20 cannot register again", {
    [procedures("successes", "reRegistration")]: rate(9.5),
  }),
  one("TidewaterRegistrationsCollapse", "a third of the users is gone", {
    [`ims_bono_registered_sets{${BONO}}`]: turned("1000", "650", 5),
  }),
  one("TidewaterSessionSetupSuccessLow", "half of the calls fail", {
    [procedures("successes", "session")]: rate(5),
  }),
  one("TidewaterSessionsFailInTheNetwork", "one of 20 calls gets 503", {
    [`ims_sprout_procedure_failures_total{${SPROUT},procedure="session",role="",cause="503"}`]: rate(0.5),
  }),
  one("TidewaterServerErrorsToUsers", "one of ten answers is 5xx", {
    [`ims_bono_sip_responses_total{${BONO},side="access",class="5xx",method="REGISTER"}`]: rate(1.1),
  }),
  one(
    "TidewaterRegistrationSlow",
    "registrations take seconds",
    histogram("ims_sprout_procedure_seconds", REGISTRATION_TIMES, "0.1", false),
  ),
  one(
    "TidewaterCallSetupSlow",
    "calls ring late",
    histogram("ims_bono_sip_call_setup_seconds", RINGING, "5", false),
  ),
  one("TidewaterPasswordGuessing", "guesses are refused", {
    [`ims_bono_refused_total{${BONO},reason="guessLimit"}`]: rate(5),
  }),
  one("TidewaterNextHopDown", "bono's next hop is down", {
    [`ims_bono_sip_next_hops_down{${BONO}}`]: always(1),
  }),
  one("TidewaterNextHopDown", "sprout's next hop is down", {
    [`ims_sprout_sip_next_hops_down{${SPROUT}}`]: always(1),
  }),
  one("TidewaterBreakersOpen", "a breaker of bono is open", {
    [`ims_bono_sip_breakers_open{${BONO}}`]: always(1),
  }),
  one("TidewaterBreakersOpen", "a breaker of sprout is open", {
    [`ims_sprout_sip_breakers_open{${SPROUT}}`]: always(1),
  }),
  one("TidewaterApplicationServersAway", "an application server is silent", {
    [`ims_sprout_application_servers_away{${SPROUT}}`]: always(1),
  }),
  one("TidewaterPeerNetworkDown", "another network is silent", {
    [`ims_bono_ibcf_targets_down{${BONO}}`]: always(1),
  }),
  one("TidewaterHssUnreachable", "no HSS", { [`ims_sprout_diameter_open_peers{${SPROUT}}`]: always(0) }),
  one("TidewaterDiameterUnanswered", "the HSS is silent for one of 20", {
    [`ims_sprout_diameter_requests_sent_total{${UAR},outcome="timeout"}`]: rate(0.5),
  }),
  one("TidewaterDiameterFailures", "the HSS is too busy for one of 20", {
    [`ims_sprout_diameter_results_received_total{${UAR},result="DIAMETER_TOO_BUSY"}`]: rate(0.5),
  }),
  one(
    "TidewaterDiameterSlow",
    "the HSS takes seconds",
    histogram("ims_sprout_diameter_request_seconds", UAR, "0.1", false),
  ),
  one("TidewaterCdfUnreachable", "no CDF", {
    [`ims_ralf_diameter_open_peers{${RALF}}`]: always(0),
    [`ims_ralf_queued_records{${RALF}}`]: always(5),
  }),
  one("TidewaterMemcachedAway", "a memcached is silent", {
    [`ims_sprout_memcached_away{${SPROUT}}`]: always(1),
  }),
  one("TidewaterMemcachedUnavailable", "both copies of some entries are away", {
    [`ims_sprout_memcached_operations_total{${GET},outcome="unavailable"}`]: rate(1),
  }),
  ...["sprout", "homestead", "homer", "ellis", "ralf"].map((node) =>
    one("TidewaterCassandraUnavailable", `Cassandra is away from ${node}`, {
      [`ims_${node}_cassandra_unavailable_total{${of(node)}}`]: rate(1),
    }),
  ),
  one(
    "TidewaterStoreSlow",
    "memcached is slow",
    histogram("ims_sprout_memcached_seconds", GET, "0.02", false),
  ),
  one(
    "TidewaterStoreSlow",
    "Cassandra is slow for sprout",
    histogram("ims_sprout_cassandra_seconds", `${SPROUT},${ROWS}`, "0.1", false),
  ),
  one(
    "TidewaterStoreSlow",
    "Cassandra is slow for homestead",
    histogram("ims_homestead_cassandra_seconds", `${of("homestead")},${ROWS}`, "0.1", false),
  ),
  one("TidewaterRegistrationsUnsettled", "copies stay different", {
    [`ims_sprout_unsettled_registrations{${SPROUT}}`]: always(3),
  }),
  one("TidewaterExpiryCalendarBehind", "the calendar is behind", {
    [`ims_sprout_calendar_lag_minutes{${SPROUT}}`]: always(7),
  }),
  one("TidewaterClockDiffers", "a clock is slow", {
    [`ims_sprout_clock_correction_seconds{${SPROUT}}`]: always(-3),
  }),
  one("TidewaterOverload", "bono refuses", { [`ims_bono_overload_refused_total{${BONO}}`]: rate(5) }),
  one("TidewaterOverload", "sprout refuses", { [`ims_sprout_overload_refused_total{${SPROUT}}`]: rate(5) }),
  one("TidewaterQueueLong", "messages wait at bono", {
    [`ims_bono_overload_queue_seconds{${BONO}}`]: always(0.2),
  }),
  one("TidewaterQueueLong", "messages wait at sprout", {
    [`ims_sprout_overload_queue_seconds{${SPROUT}}`]: always(0.2),
  }),
  one("TidewaterStaleMessages", "bono stood still", {
    [`ims_bono_sip_dropped_total{${BONO},side="access",reason="stale"}`]: turned("0", "500", 3),
  }),
  one("TidewaterStaleMessages", "sprout stood still", {
    [`ims_sprout_sip_dropped_total{${SPROUT},side="scscf",reason="stale"}`]: turned("0", "500", 3),
  }),
  ...["homestead", "homer", "ellis"].map((node) =>
    one("TidewaterHttpRefused", `${node} refuses`, {
      [`ims_${node}_http_refused_total{${of(node)}}`]: rate(5),
    }),
  ),
  one("TidewaterChargingQueueGrows", "the CDF is too slow", {
    [`ims_ralf_queued_records{${RALF}}`]: `1500+10x${SAMPLES}`,
  }),
  one("TidewaterChargingDeadLetters", "the CDF refuses", { [`ims_ralf_dead_letters{${RALF}}`]: always(2) }),
  one("TidewaterChargingEventsLost", "bono loses events", {
    [`ims_bono_charging_events_lost_total{${BONO}}`]: turned("0", "7", 10),
  }),
  one("TidewaterChargingEventsLost", "sprout loses events", {
    [`ims_sprout_charging_events_lost_total{${SPROUT}}`]: turned("0", "7", 10),
  }),
  one("TidewaterChargingUndelivered", "bono's events wait", {
    [`ims_bono_charging_events_queued{${BONO}}`]: always(900),
  }),
  one("TidewaterChargingUndelivered", "sprout's events wait", {
    [`ims_sprout_charging_events_queued{${SPROUT}}`]: always(900),
  }),
];
