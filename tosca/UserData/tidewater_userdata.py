# Licensed under the Apache License, Version 2.0.
"""User data class for Tacker: turns grants into parameters of the templates in BaseHOT.

Named by an operation's additionalParams:
  "lcm-operation-user-data": "UserData/tidewater_userdata.py",
  "lcm-operation-user-data-class": "TidewaterUserData"
and, at instantiation, "tidewater": {"parameters": {...}} with parameters of the templates.
"""

import json
import os

NETWORKS = ("access", "mw", "core", "management")


class TidewaterUserData:
    @staticmethod
    def instantiate(req, inst, grant_req, grant, csar_dir):
        flavour = req["flavourId"]
        folder = os.path.join(csar_dir, "BaseHOT", flavour)
        sizes = _change({}, grant_req)
        parameters = _pool_parameters(csar_dir, flavour, sizes)
        parameters.update(_networks(req, grant))
        given = (req.get("additionalParams") or {}).get("tidewater") or {}
        parameters.update(given.get("parameters") or {})
        nfv = _nfv(folder, grant)
        parameters["nfv"] = nfv
        template, files = _template(folder)
        return {"template": template, "parameters": parameters, "files": files}

    @staticmethod
    def scale(req, inst, grant_req, grant, csar_dir):
        if req.get("numberOfSteps", 1) != 1:
            raise ValueError("a pool is scaled one step at a time: more at once may put more than the share on a host; ask again with numberOfSteps 1")
        info = inst["instantiatedVnfInfo"]
        before = _present(info)
        after = _change(before, grant_req)
        changed = {pool: size for pool, size in after.items() if size != before.get(pool)}
        return {"parameters": _pool_parameters(csar_dir, info["flavourId"], changed)}

    @staticmethod
    def scale_rollback(req, inst, grant_req, grant, csar_dir):
        info = inst["instantiatedVnfInfo"]
        pool = req["aspectId"]
        return {"parameters": _pool_parameters(csar_dir, info["flavourId"], {pool: _present(info)[pool]})}

    @staticmethod
    def heal(req, inst, grant_req, grant, csar_dir):
        return {"parameters": {}}

    @staticmethod
    def change_ext_conn(req, inst, grant_req, grant, csar_dir):
        return {"parameters": _networks(req, grant)}


def _present(info):
    sizes = {}
    for vnfc in info.get("vnfcResourceInfo") or []:
        sizes[vnfc["vduId"]] = sizes.get(vnfc["vduId"], 0) + 1
    return sizes


def _change(sizes, grant_req):
    after = dict(sizes)
    for key, by in (("addResources", 1), ("removeResources", -1)):
        for resource in grant_req.get(key) or []:
            if resource["type"] == "COMPUTE":
                vdu = resource["resourceTemplateId"]
                after[vdu] = after.get(vdu, 0) + by
    return after


def _pool_parameters(csar_dir, flavour, sizes):
    with open(os.path.join(csar_dir, "UserData", "pools.json"), encoding="utf-8") as file:
        pools = json.load(file)[flavour]
    parameters = {}
    for pool, size in sizes.items():
        allowed = pools[pool]
        if str(size) not in allowed:
            raise ValueError(f"{pool} of {size}: the flavour {flavour} has sizes {', '.join(allowed)}")
        parameters[f"{pool}_count"] = size
        parameters[f"{pool}_spare"] = allowed[str(size)]
    return parameters


def _networks(req, grant):
    """Networks that are given: external ones by their connection points, the VNF's own as externally managed."""
    found = {}
    links = (grant.get("extVirtualLinks") or []) + (req.get("extVirtualLinks") or [])
    for link in links:
        for point in link.get("extCps") or []:
            for network in NETWORKS:
                if point["cpdId"].endswith("_" + network):
                    found.setdefault(f"{network}_network", link["resourceId"])
    managed = (grant.get("extManagedVirtualLinks") or []) + (req.get("extManagedVirtualLinks") or [])
    for link in managed:
        if link["vnfVirtualLinkDescId"] in NETWORKS:
            found.setdefault(f"{link['vnfVirtualLinkDescId']}_network", link["resourceId"])
    return found


def _nfv(folder, grant):
    """Image and flavor of each VDU: of the grant where it has any, else the defaults of the template."""
    with open(os.path.join(folder, "nfv.json"), encoding="utf-8") as file:
        nfv = json.load(file)
    assets = grant.get("vimAssets") or {}
    for flavor in assets.get("computeResourceFlavours") or []:
        if flavor["vnfdVirtualComputeDescId"] in nfv["VDU"]:
            nfv["VDU"][flavor["vnfdVirtualComputeDescId"]]["computeFlavourId"] = flavor["vimFlavourId"]
    for image in assets.get("softwareImages") or []:
        if image["vnfdSoftwareImageId"] in nfv["VDU"]:
            nfv["VDU"][image["vnfdSoftwareImageId"]]["vcImageId"] = image["vimSoftwareImageId"]
    return nfv


def _template(folder):
    """The template of the flavour, and all files it may name: as its types and get_file write them."""
    files = {}
    template = ""
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            relative = os.path.relpath(path, folder).replace(os.sep, "/")
            with open(path, encoding="utf-8") as file:
                text = file.read()
            if "/" not in relative:
                if relative.endswith(".yaml"):
                    template = text
            else:
                files[relative] = text
                files["../" + relative] = text
    return template, files
