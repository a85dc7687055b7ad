import { describe, expect, it } from "vitest";
import { parseCgroup } from "../../../src/scan/cgroup.ts";

const ID = "0123456789abcdef".repeat(4);
const INNER = "fedcba9876543210".repeat(4);

describe("parseCgroup", () => {
  it.each<[string, string, string | null, string | null]>([
    ["a system service", "0::/system.slice/ssh.service\n", "ssh.service", null],
    ["a login session", "0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope", null],
    ["the first process", "0::/init.scope\n", "init.scope", null],
    ["no unit", "0::/\n", null, null],
    [
      "a user's service",
      "0::/user.slice/user-1000.slice/user@1000.service/app.slice/openclaw-gateway.service\n",
      "user@1000.service/openclaw-gateway.service",
      null,
    ],
    [
      "a unit that a user named like one of the system's",
      "0::/user.slice/user-1000.slice/user@1000.service/app.slice/nginx.service\n",
      "user@1000.service/nginx.service",
      null,
    ],
    [
      "a unit below a user's unit",
      "0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.service/nginx.service\n",
      "user@1000.service/a.service",
      null,
    ],
    [
      "a user's manager itself",
      "0::/user.slice/user-1000.slice/user@1000.service/init.scope\n",
      "user@1000.service",
      null,
    ],
    ["a group below a service", "0::/system.slice/cups.service/workers\n", "cups.service", null],
    // A service with a delegated subtree can name groups in it as it likes.
    ["a unit name made up below a service", "0::/system.slice/job.service/ssh.service\n", "job.service", null],
    ["a socket unit", "0::/system.slice/docker.socket\n", "docker.socket", null],
    ["Docker with systemd", `0::/system.slice/docker-${ID}.scope\n`, null, ID],
    ["Docker with cgroupfs", `0::/docker/${ID}\n`, null, ID],
    ["Podman", `0::/machine.slice/libpod-${ID}.scope/container\n`, null, ID],
    ["Kubernetes with containerd", `0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${ID}.scope\n`, null, ID],
    ["Kubernetes without systemd", `0::/kubepods/burstable/pod1/${ID}\n`, null, ID],
    ["Kubernetes with CRI-O", `0::/kubepods.slice/crio-${ID}.scope\n`, null, ID],
    ["containerd's colon form", `0::/system.slice/kubepods-pod1.slice:cri-containerd:${ID}\n`, null, ID],
    ["a container in a container", `0::/docker/${ID}/docker/${INNER}\n`, null, INNER],
    ["a unit in a container", `0::/system.slice/docker-${ID}.scope/system.slice/nginx.service\n`, null, ID],
    ["a unit that starts a container", `0::/system.slice/web.service/docker/${ID}\n`, "web.service", ID],
    [
      "rootless Docker",
      `0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${ID}.scope\n`,
      "user@1000.service",
      ID,
    ],
    ["a unit in LXC", "0::/lxc.payload.web1/system.slice/ssh.service\n", null, "web1"],
    ["old LXC", "5:cpu:/lxc/web1\n", null, "web1"],
    [
      "cgroup v1",
      "9:name=systemd:/system.slice/cron.service\n8:pids:/system.slice/cron.service\n0::/\n",
      "cron.service",
      null,
    ],
    ["Docker on cgroup v1", `12:cpu:/docker/${ID}\n1:name=systemd:/docker/${ID}\n`, null, ID],
    ["a group that is gone", "0::/system.slice/old.service (deleted)\n", "old.service", null],
    ["hex digits that are no container id", `0::/system.slice/${ID.slice(1)}\n`, null, null],
    ["text that is no cgroup file", "\u001b[31mnothing\n::\n", null, null],
  ])("reads %s", (_what, text, unit, container) => {
    expect(parseCgroup(text)).toEqual({ unit, container });
  });
});
