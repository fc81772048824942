#!/usr/bin/env node
import { runService } from "@ims/runtime";
import { createEtcdCluster, etcdClusterOptions } from "../src/index.ts";

await runService({ name: "etcd-cluster", options: etcdClusterOptions, create: createEtcdCluster });
