/** How long candidates are waited for: those of other networks may take long, and somebody waits for us to call. */
const GATHER_MS = 2_000;
/** The same once there is one of a relay, which reaches what can be reached. */
const RELAYED_MS = 150;
const TONE_MS = 160;
const TONE_GAP_MS = 70;

/** Sound and picture of one call: an RTCPeerConnection, and offers and answers as SDP with all candidates in them. */
export class Media {
  #connection;
  #devices;
  #told;
  #microphone;
  #camera;
  #remote = new MediaStream();
  #isMuted = false;
  #isHeld = false;
  /** The other side does not want to hear us: its last SDP said sendonly or inactive. */
  isRemoteHeld = false;

  /** `told`: remote(stream), failed(). */
  constructor({ iceServers, devices }, told) {
    this.#devices = devices;
    this.#told = told;
    this.#connection = new RTCPeerConnection({ iceServers });
    this.#connection.ontrack = ({ track }) => {
      if (!this.#remote.getTracks().includes(track)) this.#remote.addTrack(track);
      track.onmute = () => told.remote(this.#remote);
      track.onunmute = () => told.remote(this.#remote);
      told.remote(this.#remote);
    };
    this.#connection.onconnectionstatechange = () => {
      if (this.#connection.connectionState === "failed") told.failed();
    };
  }

  get camera() {
    return this.#camera;
  }

  get isMuted() {
    return this.#isMuted;
  }

  /** Whether pictures are to be expected from there. */
  get hasRemoteVideo() {
    return this.#videoLines().some(({ currentDirection }) => /recv/.test(currentDirection ?? ""));
  }

  /** Opens microphone and, when wanted, camera. Throws what getUserMedia throws. */
  async open({ video }) {
    this.#microphone ??= await this.#devices.microphone();
    if (video) this.#camera ??= await this.#devices.camera();
  }

  async offer({ restart = false } = {}) {
    if (restart) this.#connection.restartIce();
    this.#direct();
    return this.#local(await this.#connection.createOffer());
  }

  async answer(sdp) {
    await this.#heard("offer", sdp);
    this.#direct();
    return this.#local(await this.#connection.createAnswer());
  }

  /** An answer, or ahead of it ("pranswer") what is played while it rings. */
  accept(sdp, type = "answer") {
    return this.#heard(type, sdp);
  }

  /** An offer of ours that was refused. */
  async takeBack() {
    if (this.#connection.signalingState === "have-local-offer")
      await this.#connection.setLocalDescription({ type: "rollback" });
  }

  set isHeld(is) {
    this.#isHeld = is;
    this.#enable();
  }

  get isHeld() {
    return this.#isHeld;
  }

  set isMuted(is) {
    this.#isMuted = is;
    this.#enable();
  }

  /** Has to be followed by an offer. */
  async turnCamera(on) {
    if (on) this.#camera ??= await this.#devices.camera();
    else {
      this.#camera?.stop();
      this.#camera = undefined;
    }
    for (const { sender } of this.#videoLines()) await sender.replaceTrack(this.#camera ?? null);
  }

  /** The devices chosen are others now. */
  async change() {
    const old = [this.#microphone, this.#camera];
    this.#microphone = await this.#devices.microphone();
    if (this.#camera !== undefined) this.#camera = await this.#devices.camera();
    for (const { kind, sender } of this.#lines()) {
      const track = kind === "audio" ? this.#microphone : this.#camera;
      if (track !== undefined) await sender.replaceTrack(track);
    }
    for (const track of old) track?.stop();
    this.#enable();
  }

  /** DTMF as telephone events (RFC 4733); false when the other side takes none. */
  tone(key) {
    const dtmf = this.#lines().find(({ kind }) => kind === "audio")?.sender.dtmf;
    if (!dtmf?.canInsertDTMF) return false;
    dtmf.insertDTMF(dtmf.toneBuffer + key, TONE_MS, TONE_GAP_MS);
    return true;
  }

  close() {
    for (const track of [this.#microphone, this.#camera]) track?.stop();
    this.#connection.onconnectionstatechange = null;
    this.#connection.close();
  }

  /** Each m-line sends what we have and receives all, of what is held nothing is received (RFC 3264 §8.4). */
  #direct() {
    const tracks = { audio: this.#microphone, video: this.#camera };
    for (const kind of ["audio", "video"]) {
      const track = tracks[kind];
      const lines = this.#lines().filter((line) => line.kind === kind);
      if (lines.length === 0 && track !== undefined && !this.#isAnswering) {
        const made = this.#connection.addTransceiver(track, { direction: "sendrecv" });
        lines.push({ kind, sender: made.sender, line: made });
      }
      for (const { line, sender } of lines) {
        if (track !== undefined && sender.track !== track) void sender.replaceTrack(track);
        const [sends, receives] = [track !== undefined, !this.#isHeld];
        line.direction = sends ? (receives ? "sendrecv" : "sendonly") : receives ? "recvonly" : "inactive";
      }
    }
    this.#enable();
  }

  get #isAnswering() {
    return this.#connection.signalingState === "have-remote-offer";
  }

  #enable() {
    if (this.#microphone !== undefined) this.#microphone.enabled = !this.#isMuted && !this.#isHeld;
    if (this.#camera !== undefined) this.#camera.enabled = !this.#isHeld;
  }

  #lines() {
    return this.#connection
      .getTransceivers()
      .filter((line) => line.currentDirection !== "stopped" && line.direction !== "stopped")
      .map((line) => ({ kind: line.receiver.track.kind, sender: line.sender, line }));
  }

  #videoLines() {
    return this.#lines()
      .filter(({ kind }) => kind === "video")
      .map(({ line, sender }) => ({ sender, currentDirection: line.currentDirection }));
  }

  async #heard(type, sdp) {
    await this.#connection.setRemoteDescription({ type, sdp });
    this.isRemoteHeld = /sendonly|inactive/.test(directionOf(sdp));
    this.#told.remote(this.#remote);
  }

  async #local(description) {
    await this.#connection.setLocalDescription(description);
    await this.#gathered();
    return this.#connection.localDescription.sdp;
  }

  #gathered() {
    const connection = this.#connection;
    if (connection.iceGatheringState === "complete") return Promise.resolve();
    return new Promise((resolve) => {
      let late = setTimeout(() => resolve(), GATHER_MS);
      connection.onicecandidate = ({ candidate }) => {
        if (candidate !== null && candidate.type !== "relay") return;
        clearTimeout(late);
        late = setTimeout(() => resolve(), candidate === null ? 0 : RELAYED_MS);
      };
    });
  }
}

/** Direction of the sound in an SDP: of its m-line, else of the session (RFC 8866 §6.7). */
export function directionOf(sdp) {
  const [session, ...lines] = sdp.split(/\r?\n(?=m=)/);
  const direction = /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/m;
  const sound = lines.find((line) => line.startsWith("m=audio")) ?? "";
  return direction.exec(sound)?.[1] ?? direction.exec(session)?.[1] ?? "sendrecv";
}

/** Whether an SDP has pictures to send or wants some. */
export function hasVideo(sdp) {
  return /^m=video [1-9]/m.test(sdp);
}
