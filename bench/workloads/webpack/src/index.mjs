import * as icons from "@tabler/icons-react";
import * as react from "react";

globalThis.everything = [icons, react];
