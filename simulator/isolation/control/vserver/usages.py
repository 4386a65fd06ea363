"""The first lines of what ``--help`` prints: showHelp() of src/*.c, scripts/{chcontext,chbind}."""

USAGES = {
    "chcontext": """Usage: chcontext [--cap [!]<cap_name>] [--secure] [--xid <num>] [--disconnect]
       [--domainname <name>] [--hostname <name>] [--flag <flags>+]
       [--silent] [--] command arguments ...
""",
    "chbind": """Usage: chbind  [--silent] [--nid <nid>] [--ip <ip_num>[/<mask>]]
             [--lback <loopback>] [--bcast <broadcast>]
             [--] <commands> <args>*
""",
    "reducecap": """Usage:
  reducecap [--show] [--secure] [--flag <flag>] [--cap <capability>] [--] <cmd> <args>*
  reducecap --show [--pid <pid>]
""",
    "vattribute": """Usage:
    vattribute [--xid <xid>] {--get|--set [--bcap [~!]<cap>] [--ccap [~!]<cap>]
    [--flag [~!]<flag>] [--secure]} -- [<program> <args>*]

 --bcap <cap>   ...  system  capability to be set
 --ccap <cap>   ...  context capability to be set
 --flag <flag>  ...  context flag to be set
 --umask <mask> ...  unshare mask to be set
""",
    "vkill": "Usage:  vkill [--xid|-c <xid>] [-s <signal>] [--] <pid>*\n",
}
