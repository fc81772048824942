import { Inviter, Registerer, RegistererState, SessionState, UserAgent } from "sip.js";

/** A UE in a page: registers over WebSocket, answers every call with audio, tells what it hears. */
let userAgent;
let registerer;
let session;
const log = [];

function follow(one) {
  session = one;
  one.stateChange.addListener((state) => {
    log.push(state);
    if (state !== SessionState.Established) return;
    // Only what is played is decoded and counted as heard.
    const speaker = new Audio();
    speaker.autoplay = true;
    speaker.srcObject = one.sessionDescriptionHandler.remoteMediaStream;
    document.body.append(speaker);
  });
}

window.ue = {
  async register({ server, user, domain, password, peerConnection = { iceServers: [] } }) {
    userAgent = new UserAgent({
      uri: UserAgent.makeURI(`sip:${user}@${domain}`),
      transportOptions: { server },
      authorizationUsername: `${user}@${domain}`,
      authorizationPassword: password,
      sessionDescriptionHandlerFactoryOptions: { peerConnectionConfiguration: peerConnection },
      logLevel: "warn",
      delegate: {
        onInvite(invitation) {
          follow(invitation);
          invitation.accept({
            sessionDescriptionHandlerOptions: { constraints: { audio: true, video: false } },
          });
        },
      },
    });
    await userAgent.start();
    registerer = new Registerer(userAgent, { expires: 600 });
    return new Promise((resolve, reject) => {
      registerer.stateChange.addListener(
        (state) => state === RegistererState.Registered && resolve("registered"),
      );
      registerer.register({
        requestDelegate: { onReject: (response) => reject(new Error(`${response.message.statusCode}`)) },
      });
    });
  },
  async call(uri) {
    const inviter = new Inviter(userAgent, UserAgent.makeURI(uri), {
      sessionDescriptionHandlerOptions: { constraints: { audio: true, video: false } },
    });
    follow(inviter);
    await inviter.invite({
      requestDelegate: { onReject: (response) => log.push(`rejected ${response.message.statusCode}`) },
    });
  },
  state: () => session?.state ?? "none",
  log: () => log,
  async hangup() {
    if (session.state === SessionState.Established) await session.bye();
  },
  async cancel() {
    await session.cancel();
  },
  async heard() {
    const connection = session.sessionDescriptionHandler.peerConnection;
    const report = await connection.getStats();
    for (const stat of report.values())
      if (stat.type === "inbound-rtp" && stat.kind === "audio")
        return { packets: stat.packetsReceived, energy: stat.totalAudioEnergy ?? 0 };
    return { packets: 0, energy: 0 };
  },
  async pair() {
    const report = await session.sessionDescriptionHandler.peerConnection.getStats();
    for (const stat of report.values())
      if (stat.type === "transport" && report.get(stat.selectedCandidatePairId) !== undefined) {
        const { localCandidateId, remoteCandidateId } = report.get(stat.selectedCandidatePairId);
        const [local, remote] = [localCandidateId, remoteCandidateId].map(
          (id) => report.get(id).candidateType,
        );
        return { local, remote };
      }
    return { local: "none", remote: "none" };
  },
  async unregister() {
    await registerer.unregister();
  },
};
