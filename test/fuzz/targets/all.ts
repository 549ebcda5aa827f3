import type { Target } from "../target.ts";
import { callbackRequests, listener, pastedTexts } from "./callback.ts";
import { clientKeys } from "./client-keys.ts";
import { browserCommand, commandLine, optionSources, proxyVariables } from "./command-line.ts";
import { certificates, configurationFiles, helperAnswers, kubeconfigs, lockNotes } from "./files.ts";
import { kubeconfigChanges } from "./kubeconfig-change.ts";
import { kubeloginCaches, migrations } from "./migration.ts";
import { deviceAnswers, discovery, errorAnswers, jwts, keySets, tokenAnswers } from "./issuer.ts";
import { busConversations, busMessages, execInfos, keychainFrames } from "./keychain.ts";
import { auditLogs, credentials, handoutNotes, memos, sealedFiles, secretStores, storedTexts } from "./stored.ts";

/** Everything that reads what somebody else wrote. */
export const targets: readonly Target[] = [
  commandLine,
  optionSources,
  execInfos,
  memos,
  credentials,
  handoutNotes,
  storedTexts,
  auditLogs,
  secretStores,
  sealedFiles,
  lockNotes,
  configurationFiles,
  kubeconfigs,
  kubeconfigChanges,
  migrations,
  kubeloginCaches,
  certificates,
  clientKeys,
  helperAnswers,
  keychainFrames,
  busMessages,
  busConversations,
  callbackRequests,
  pastedTexts,
  listener,
  discovery,
  keySets,
  tokenAnswers,
  errorAnswers,
  deviceAnswers,
  jwts,
  proxyVariables,
  browserCommand,
];
