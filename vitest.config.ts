import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Each starts the real OpenClaw gateway, which an assessment in another test would see and measure. */
const WITH_GATEWAY = ["test/e2e/gateway-*.test.ts", "test/e2e/plugin.test.ts"];

const config: ViteUserConfig = defineConfig({
  test: {
    reporters: ["default", "./test/helpers/count-reporter.ts"],
    globalSetup: ["test/helpers/global-setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    coverage: { provider: "v8", include: ["src/**"], thresholds: { branches: 90 } },
    projects: [
      {
        extends: true,
        test: { name: "host", include: ["test/**/*.test.ts"], exclude: ["test/host/**", ...WITH_GATEWAY] },
      },
      // After all others, so that neither group sees the other's processes.
      { extends: true, test: { name: "gateway", include: WITH_GATEWAY, sequence: { groupOrder: 1 } } },
    ],
  },
});

export default config;
