import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** A device as the gateway knows it: an Ed25519 key, named by the hash of its public half. */
export interface Device {
  readonly id: string;
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

export function makeDevice(): Device {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  return {
    id: createHash("sha256").update(raw).digest("hex"),
    publicKey: raw.toString("base64url"),
    privateKey,
  };
}

export interface ConnectIdentity {
  readonly clientId: string;
  readonly clientMode: string;
  readonly role: string;
  readonly scopes: readonly string[];
  readonly token: string;
  readonly nonce: string;
  readonly signedAt: number;
}

/** The `device` member of a connect request, its signature over everything the connection claims. */
export function signedDevice(device: Device, claim: ConnectIdentity): Readonly<Record<string, unknown>> {
  const { clientId, clientMode, role, scopes, token, nonce, signedAt } = claim;
  const platform = "linux";
  const family = "";
  const text = [
    "v3",
    device.id,
    clientId,
    clientMode,
    role,
    scopes.join(","),
    signedAt,
    token,
    nonce,
    platform,
    family,
  ].join("|");
  const signature = sign(null, Buffer.from(text), device.privateKey).toString("base64url");
  return { id: device.id, publicKey: device.publicKey, signature, signedAt, nonce };
}
