export { dnsServer, type Reply as DnsReply } from "./dns-server.ts";
export { FAKE_EPOCH_MS, type FakeClock, fakeClock } from "./fake-clock.ts";
export { type FakeResolver, fakeResolver, type Zone, type ZoneEntry } from "./fake-resolver.ts";
export { freePort, freePorts } from "./free-port.ts";
export { type MemoryLogger, memoryLogger } from "./memory-logger.ts";
export {
  type TestAuthority,
  type TestCertificate,
  type TestCertificateOptions,
  testAuthority,
} from "./test-authority.ts";
