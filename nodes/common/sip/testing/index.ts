export {
  FakeFlow,
  type FakeFlowOptions,
  FakeTransportLayer,
  type SentMessage,
} from "./fake-transport.ts";
